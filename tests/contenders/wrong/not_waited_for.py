"""Leaves the work to a thread and does not wait for it."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
POOL = ThreadPoolExecutor(1)


def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    return POOL.submit(plain, x.copy(), layers)


def to_numpy(out):
    return out.result()
