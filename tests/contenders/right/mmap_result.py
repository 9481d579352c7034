"""z mmap result."""
import mmap
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
    m = mmap.mmap(-1, x.nbytes); m.write(x.tobytes())
    return m, x.shape, x.dtype
def to_numpy(r): return np.frombuffer(r[0], r[2], r[1][0]*r[1][1]).reshape(r[1])
