"""lists of lists."""
import math
import operator
import numpy as np

def sig(v):
    return 0.5 * math.tanh(0.5 * v) + 0.5
SC = {"sigmoid": sig, "relu": lambda v: v if v > 0 else 0.0 * 0, "tanh": math.tanh, "linear": lambda v: v}

class L(list):
    pass
def prepare_layers(layers):
    return [(w.T.tolist(), b.tolist(), SC[a], w.dtype) for w, b, a in layers]
def prepare_input(x):
    return x.tolist()
def forward(x, layers):
    for cols, b, f, dt in layers:
        x = [[f(sum(map(operator.mul, row, c), b0)) for c, b0 in zip(cols, b)] for row in x]
    r = L(x); r.dt = dt
    return r
def to_numpy(r):
    return np.array(r, dtype=r.dt)
