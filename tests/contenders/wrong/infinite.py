"""Overflows in a softplus-like detour."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        z = x @ w + b
        x = ACT[g](z) if g != 'relu' else np.log(np.exp(z * 100)) / 100
    return x
