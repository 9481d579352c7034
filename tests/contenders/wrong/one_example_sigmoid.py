"""Has a fast path for one example that forgets the activation."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for w, b, g in layers:
        x = ACT['sigmoid' if len(x) == 1 else g](x @ w + b)
    return x
