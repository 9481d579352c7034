"""asv's benchmark folder for identical code."""
