"""The same on a CUDA GPU."""
