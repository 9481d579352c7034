"""subprocess pipes."""
import pickle
import subprocess
import sys
import numpy as np

CODE = r"""
import sys, pickle
import numpy as np
def act(name, z):
    return {"sigmoid": lambda: 0.5*np.tanh(0.5*z)+0.5, "relu": lambda: np.maximum(z, 0), "tanh": lambda: np.tanh(z), "linear": lambda: z}[name]()
i, o = sys.stdin.buffer, sys.stdout.buffer
while True:
    try:
        x, layers = pickle.load(i)
    except EOFError:
        break
    for w, b, a in layers:
        x = act(a, x @ w + b)
    pickle.dump(x, o, 5); o.flush()
"""
_p = None
def forward(x, layers):
    global _p
    if _p is None:
        _p = subprocess.Popen([sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pickle.dump((x, layers), _p.stdin, 5); _p.stdin.flush()
    return pickle.load(_p.stdout)
