"""weights memo by id."""
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

SEEN = {}
def forward(x, layers):
    for w, b, a in layers:
        if id(w) not in SEEN or SEEN[id(w)][0] is not w or not np.array_equal(SEEN[id(w)][1], w.T):
            SEEN[id(w)] = (w, np.ascontiguousarray(w.T))
        x = act(a, x @ SEEN[id(w)][1].T + b)
    if len(SEEN) > 50: SEEN.clear()
    return x
