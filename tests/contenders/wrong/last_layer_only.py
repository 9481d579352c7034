"""Skips hidden layers of unchanged width."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for number, (w, b, g) in enumerate(layers):
        if number and w.shape[0] == w.shape[1]:
            continue
        x = ACT[g](x @ w + b)
    return x
