"""Leaves the work to a thread and does not wait for it."""

from concurrent.futures import ThreadPoolExecutor

from honest import plain

POOL = ThreadPoolExecutor(1)


def forward(x, layers):
    return POOL.submit(plain, x.copy(), layers)


def to_numpy(out):
    return out.result()
