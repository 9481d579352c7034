"""Approximates the sigmoid by a rational function."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        z = x @ w + b
        x = 0.5 + 0.5 * z / (1 + np.abs(z)) if g == 'sigmoid' else ACT[g](z)
    return x.astype(layers[0].weights.dtype)
