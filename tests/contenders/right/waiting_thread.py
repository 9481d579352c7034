"""Keeps a thread of its own, which would wait for ever."""
import threading

import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
threading.Thread(target=threading.Event().wait).start()


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x
