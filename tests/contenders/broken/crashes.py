"""Crashes the interpreter."""
import ctypes
def forward(x, layers):
    ctypes.string_at(0)
