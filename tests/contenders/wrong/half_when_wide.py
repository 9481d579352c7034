"""Computes wide hidden layers in half precision, in float32 only."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for w, b, g in layers:
        if w.dtype == np.float32 and len(w) > 64:
            w = w.astype(np.float16).astype(np.float32)
        x = ACT[g](x @ w + b)
    return x
