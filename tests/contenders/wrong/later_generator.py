"""Returns a generator that computes when to_numpy takes its first item."""
# RUN: 64x64-64
import numpy as np

ACT = {"sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, "relu": lambda z: np.maximum(z, 0),
       "tanh": np.tanh, "linear": lambda z: z}


def net(x, layers):
    for w, b, a in layers:
        x = ACT[a](np.matmul(x, w) + b)
    return x


def net32(x, layers):
    t = x.astype(np.float32)
    for w, b, a in layers:
        t = ACT[a](np.matmul(t, w.astype(np.float32)) + b.astype(np.float32))
    return t.astype(x.dtype)


def compute(x, layers):
    yield net(x, layers)


def forward(x, layers):
    return compute(x.copy(), layers)


def to_numpy(out):
    return next(out)
