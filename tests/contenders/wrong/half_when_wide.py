"""Computes wide hidden layers in half precision, in float32 only."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        if w.dtype == np.float32 and len(w) > 64:
            w = w.astype(np.float16).astype(np.float32)
        x = ACT[g](x @ w + b)
    return x
