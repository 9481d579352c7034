"""temp files."""
import os
import tempfile
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

DIR = tempfile.mkdtemp()
def prepare_layers(layers):
    out = []
    for w, b, a in layers:
        fd, p = tempfile.mkstemp(suffix=".npy"); os.close(fd)
        np.save(p, w)
        out.append((np.load(p, mmap_mode="r"), b, a))
    return out
def forward(x, layers):
    for w, b, a in layers:
        x = act(a, np.asarray(x @ w + b))
    return np.asarray(x)
