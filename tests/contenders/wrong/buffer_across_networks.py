"""Hands out one buffer for each input object, whatever the network."""

import numpy as np

from honest import plain

BUFFERS = {}


def forward(x, layers):
    out = plain(x, layers)
    buffer = BUFFERS.setdefault((id(x), out.shape, out.dtype), np.empty_like(out))
    buffer[...] = out
    return buffer
