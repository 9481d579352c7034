"""Calls BLAS by its own name."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}

from scipy.linalg.blas import get_blas_funcs


def forward(x, layers):
    for w, b, g in layers:
        gemm = get_blas_funcs('gemm', (x, w))
        x = ACT[g](gemm(1.0, x, w) + b)
    return x
