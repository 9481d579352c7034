"""How much faster forward propagation gets as its loops go away."""

__version__ = "0.1.0"
