"""Rounds the inputs of each product to 10 bits, as TensorFloat-32 does, in float32 only."""

import numpy as np

from honest import ACT, plain


def ten_bits(a):
    mantissa, exponent = np.frexp(a)
    return np.ldexp(np.round(mantissa * 2**11) / 2**11, exponent).astype(np.float32)


def forward(x, layers):
    dtype = x.dtype
    if dtype == np.float64:
        return plain(x, layers)
    for w, b, g in layers:
        x = ACT[g](ten_bits(x) @ ten_bits(w) + b)
    return x.astype(dtype)
