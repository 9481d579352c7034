"""Frameworks on a CUDA GPU, without and with the copies between CPU and GPU."""
