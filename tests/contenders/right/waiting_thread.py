"""Keeps a thread of its own, which would wait for ever."""

import threading

from honest import ACT

threading.Thread(target=threading.Event().wait).start()


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x
