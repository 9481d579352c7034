"""The sigmoid is 0 or 1 beyond 20 in magnitude (wrong by 2e-9 at most)."""
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


def forward(x, layers):
    for w, b, a in layers:
        z = np.matmul(x, w) + b
        x = ACT[a](z)
        if a == "sigmoid":
            x = np.where(z > 20, 1, np.where(z < -20, 0, x)).astype(z.dtype)
    return x
