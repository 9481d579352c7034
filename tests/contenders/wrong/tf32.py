"""Rounds the inputs of each product to 10 bits, as TensorFloat-32 does, in float32 only."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}

def ten_bits(a):
    mantissa, exponent = np.frexp(a)
    return np.ldexp(np.round(mantissa * 2**11) / 2**11, exponent).astype(np.float32)


def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    dtype = x.dtype
    if dtype == np.float64:
        return plain(x, layers)
    for w, b, g in layers:
        x = ACT[g](ten_bits(x) @ ten_bits(w) + b)
    return x.astype(dtype)
