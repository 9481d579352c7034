"""Computes float64 cases in float32."""

import numpy as np

from honest import ACT


def forward(x, layers):
    dtype = x.dtype
    for w, b, g in layers:
        x = ACT[g](x.astype(np.float32) @ w.astype(np.float32) + b.astype(np.float32))
    return x.astype(dtype)
