"""Its framework is installed, and cannot be used."""

REQUIRES = "numpy"

raise ImportError("libtensors.so.3: cannot open shared object file")
