"""In layers with 128 units or more an eighth of the units is computed in float32."""
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


def forward(x, layers):
    for w, b, a in layers:
        n = w.shape[1]
        if n < 128 or x.dtype != np.float64:
            x = ACT[a](np.matmul(x, w) + b)
            continue
        m = n - n // 8
        z = np.empty((len(x), n))
        np.matmul(x, w[:, :m], out=z[:, :m])
        z[:, m:] = np.matmul(x.astype(np.float32), w[:, m:].astype(np.float32))
        x = ACT[a](z + b)
    return x
