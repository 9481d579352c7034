"""The honest computation, for the contenders beside it to depart from; no contender itself."""

import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x
