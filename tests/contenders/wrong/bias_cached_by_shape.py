"""Keeps one bias for each shape and sum of the weights."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
BIASES = {}


def forward(x, layers):
    for w, b, g in layers:
        b = BIASES.setdefault((w.shape, w.dtype, float(w.sum())), b)
        x = ACT[g](x @ w + b)
    return x
