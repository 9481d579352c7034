"""Shares the examples out to threads and waits for them."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}

from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(2)

def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    half = (len(x) + 1) // 2
    parts = [POOL.submit(plain, part, layers) for part in (x[:half], x[half:])]
    return np.concatenate([part.result() for part in parts])
