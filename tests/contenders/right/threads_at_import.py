"""threads at import."""
import concurrent.futures
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

def work(args):
    x, layers = args
    for w, b, a in layers:
        x = act(a, x @ w + b)
    return x

EX = concurrent.futures.ThreadPoolExecutor(2)
list(EX.map(lambda i: i, range(4)))
def forward(x, layers):
    if len(x) < 2:
        return work((x, layers))
    h = len(x) // 2
    return np.concatenate(list(EX.map(work, [(x[:h], layers), (x[h:], layers)])))
