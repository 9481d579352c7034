"""kahan."""
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
        s = np.zeros((len(x), w.shape[1]), x.dtype) + b
        c = np.zeros_like(s)
        for k in range(w.shape[0]):
            y = x[:, k:k+1] * w[k] - c
            t = s + y
            c = (t - s) - y
            s = t
        x = act(a, s)
    return x
