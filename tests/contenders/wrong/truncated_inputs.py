"""Drops inputs past a multiple of eight."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for w, b, g in layers:
        n = len(w) if len(w) < 8 else len(w) // 8 * 8
        x = ACT[g](x[:, :n] @ w[:n] + b)
    return x
