"""Hands out one buffer and says so."""

import numpy as np

from honest import ACT

BUFFERS = {}
REUSES_OUTPUT = True


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    out = BUFFERS.setdefault((x.shape, x.dtype), np.empty_like(x))
    out[...] = x
    return out
