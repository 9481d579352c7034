"""masked array."""
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
    x = np.ma.masked_array(x)
    for w, b, a in layers:
        z = np.ma.dot(x, w) + b
        x = np.ma.masked_array(act(a, z.data))
    return x
def to_numpy(out): return out.data
