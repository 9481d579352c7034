"""In batches of 400 or more eight rows in the middle keep what the output buffer held."""
# RUN: 512x64-64
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


REUSES_OUTPUT = True
BUF = {}


def forward(x, layers):
    if len(x) < 400:
        return net(x, layers)
    key = (len(x), layers[-1][0].shape[1], x.dtype.str)
    if key not in BUF:
        BUF[key] = np.full(key[:2], 0.5, x.dtype)
    out, m = BUF[key], len(x) // 2
    out[:m] = net(x[:m], layers)
    out[m + 8:] = net(x[m + 8:], layers)
    return out
