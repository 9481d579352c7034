"""Takes the sigmoid of anything above 6 as 1."""
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
        x = np.where(z > 6, 1, ACT[g](z)).astype(z.dtype) if g == 'sigmoid' else ACT[g](z)
    return x
