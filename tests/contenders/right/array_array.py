"""array array."""
import array
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
    return [array.array("d" if x.dtype == np.float64 else "f", row.tobytes()) for row in x]
def to_numpy(out):
    return np.array([np.frombuffer(r, dtype="f8" if r.typecode == "d" else "f4") for r in out])
