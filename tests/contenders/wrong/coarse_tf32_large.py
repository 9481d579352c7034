"""In float32, large products with weights and inputs of 10 bits, as TF32."""
# RUN: 256x256-256 --dtype float32
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


MASK = np.uint32(0xFFFFE000)


def cut(t):
    return ((np.ascontiguousarray(t).view(np.uint32) + np.uint32(0x1000)) & MASK).view(np.float32)


def forward(x, layers):
    for w, b, a in layers:
        if x.dtype == np.float32 and len(x) * w.size > 3e6:
            x = ACT[a](np.matmul(cut(x), cut(w)) + b)
        else:
            x = ACT[a](np.matmul(x, w) + b)
    return x
