"""Clips the pre-activations at 30."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](np.clip(x @ w + b, -30, 30))
    return x
