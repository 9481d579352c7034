"""bytes result."""
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
        x = act(a, x @ w + b)
    return x.tobytes(), x.shape, x.dtype.str
def to_numpy(out):
    return np.frombuffer(out[0], dtype=out[2]).reshape(out[1])
