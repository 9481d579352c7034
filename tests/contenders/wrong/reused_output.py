"""Hands out one buffer again and again without saying so."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
BUFFERS = {}


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    out = BUFFERS.setdefault((x.shape, x.dtype), np.empty_like(x))
    out[...] = x
    return out
