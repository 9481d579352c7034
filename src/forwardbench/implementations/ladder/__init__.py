"""Plain Python and NumPy: the three ways of the course notes and the steps between them."""
