"""complex arith."""
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
    dt = x.dtype
    for w, b, a in layers:
        z = (x.astype(complex) * 1j) @ (w * -1j) + b
        x = act(a, z.real)
    return x.astype(dt)
