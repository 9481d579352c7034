"""Writes the sigmoid as the course does, which overflows to the right answer."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        z = x @ w + b
        x = 1 / (1 + np.exp(-z)) if g == 'sigmoid' else ACT[g](z)
    return x
