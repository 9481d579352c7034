"""From the 13th layer on it computes in float32."""
# RUN: 64x64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64
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


def forward(x, layers):
    x = net(x, layers[:12])
    return net32(x, layers[12:]) if len(layers) > 12 else x
