"""Shares the examples out to threads and waits for them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from honest import plain

POOL = ThreadPoolExecutor(2)


def forward(x, layers):
    half = (len(x) + 1) // 2
    parts = [POOL.submit(plain, part, layers) for part in (x[:half], x[half:])]
    return np.concatenate([part.result() for part in parts])
