"""Batches that need not fit into memory."""
