"""fsum."""
import math
import numpy as np

def sig(v):
    return 0.5 * math.tanh(0.5 * v) + 0.5
SC = {"sigmoid": sig, "relu": lambda v: v if v > 0 else 0.0 * 0, "tanh": math.tanh, "linear": lambda v: v}

def forward(x, layers):
    dt = x.dtype
    for w, b, a in layers:
        cols = w.T.astype(float).tolist(); bl = b.astype(float).tolist(); f = SC[a]
        x = [[f(math.fsum([p * q for p, q in zip(r, c)] + [b0])) for c, b0 in zip(cols, bl)] for r in (x.tolist() if isinstance(x, np.ndarray) else x)]
    return np.array(x, dtype=dt).reshape(len(x), -1)
