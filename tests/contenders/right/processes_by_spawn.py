"""mp spawn."""
import multiprocessing
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

def work(args):
    x, layers = args
    for w, b, a in layers:
        x = act(a, x @ w + b)
    return x

_pool = None
def pool():
    global _pool
    if _pool is None:
        _pool = multiprocessing.get_context("spawn").Pool(1)
    return _pool
def forward(x, layers):
    return pool().apply(work, ((x, layers),))
