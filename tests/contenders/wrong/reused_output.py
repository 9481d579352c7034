"""Hands out one buffer again and again without saying so."""

import numpy as np

from honest import ACT

BUFFERS = {}


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    out = BUFFERS.setdefault((x.shape, x.dtype), np.empty_like(x))
    out[...] = x
    return out
