"""ctypes buffers."""
import ctypes
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

def forward(x, layers):
    for w, b, a in layers:
        n, u = len(x), w.shape[1]
        ct = ctypes.c_double if x.dtype == np.float64 else ctypes.c_float
        buf = (ct * (n * u))()
        view = np.frombuffer(buf, dtype=x.dtype).reshape(n, u)
        np.matmul(x, w, out=view)
        view += b
        view[...] = act(a, view)
        x = view
    return x
