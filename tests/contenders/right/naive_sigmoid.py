"""Writes the sigmoid as the course does, which overflows to the right answer."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for w, b, g in layers:
        z = x @ w + b
        x = 1 / (1 + np.exp(-z)) if g == 'sigmoid' else ACT[g](z)
    return x
