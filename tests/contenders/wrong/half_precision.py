"""Computes in float16, in float32 only."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    dtype = x.dtype
    if dtype == np.float64:
        return plain(x, layers)
    for w, b, g in layers:
        x = ACT[g](x.astype(np.float16) @ w.astype(np.float16) + b.astype(np.float16))
    return x.astype(dtype)
