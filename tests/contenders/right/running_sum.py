"""Sums one input after another, strictly from left to right."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for w, b, g in layers:
        z = np.zeros((len(x), len(b)), x.dtype) + b
        for i in range(len(w)):
            z = z + x[:, i, None] * w[i]
        x = ACT[g](z)
    return x
