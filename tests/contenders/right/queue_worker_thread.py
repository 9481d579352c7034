"""queue worker thread."""
import queue
import threading
import numpy as np

def act(name, z):
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "relu":
        return np.maximum(z, 0)
    if name == "tanh":
        return np.tanh(z)
    return z

IN, OUT = queue.Queue(), queue.Queue()
started = False
def loop():
    while True:
        x, layers = IN.get()
        for w, b, a in layers:
            x = act(a, x @ w + b)
        OUT.put(x)
def forward(x, layers):
    global started
    if not started:
        threading.Thread(target=loop, daemon=True).start(); started = True
    IN.put((x, layers))
    return OUT.get()
