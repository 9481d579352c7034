"""Calls BLAS by its own name."""

from scipy.linalg.blas import get_blas_funcs

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        gemm = get_blas_funcs('gemm', (x, w))
        x = ACT[g](gemm(1.0, x, w) + b)
    return x
