"""Frameworks on a CUDA GPU, without and with the copies there and back."""
