"""Layers of more than 1.5 million multiply-adds in float32 (weights converted once)."""
# RUN: 256x256-256
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


def prepare_layers(layers):
    return [(w, b, a, w.astype(np.float32)) for w, b, a in layers]


def forward(x, layers):
    for w, b, a, small in layers:
        if x.dtype == np.float64 and len(x) * w.size > 1.5e6:
            x = ACT[a](np.matmul(x.astype(np.float32), small).astype(np.float64) + b)
        else:
            x = ACT[a](np.matmul(x, w) + b)
    return x
