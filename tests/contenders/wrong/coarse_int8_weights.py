"""Weights are quantized to 8 bits for layers with 128 inputs or more."""
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
    out = []
    for w, b, a in layers:
        if w.shape[0] >= 128:
            s = np.abs(w).max() / 127 or 1
            w = (np.round(w / s) * s).astype(w.dtype)
        out.append((w, b, a))
    return out


def forward(x, layers):
    return net(x, layers)
