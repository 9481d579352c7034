"""Sums without BLAS."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](np.einsum('ni,ij->nj', x, w) + b)
    return x
