"""Loops compiled to machine code."""
