"""generator forward."""
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

def steps(x, layers):
    for w, b, a in layers:
        x = act(a, x @ w + b)
        yield x
def forward(x, layers):
    *_, last = steps(x, layers)
    return last
