"""Rounds the weights of large layers to bfloat16."""
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


def cut(w):
    return (w.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def prepare_layers(layers):
    return [(cut(w), b, a) if w.size >= 200 * 200 else (w, b, a) for w, b, a in layers]


def forward(x, layers):
    d = x.dtype
    for w, b, a in layers:
        z = np.matmul(x.astype(w.dtype), w) if w.dtype != d else np.matmul(x, w)
        x = ACT[a](z.astype(d) + b)
    return x
