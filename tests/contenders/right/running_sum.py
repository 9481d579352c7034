"""Sums one input after another, strictly from left to right."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        z = np.zeros((len(x), len(b)), x.dtype) + b
        for i in range(len(w)):
            z = z + x[:, i, None] * w[i]
        x = ACT[g](z)
    return x
