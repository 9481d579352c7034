"""Keeps one bias for each shape and sum of the weights."""

from honest import ACT

BIASES = {}


def forward(x, layers):
    for w, b, g in layers:
        b = BIASES.setdefault((w.shape, w.dtype, float(w.sum())), b)
        x = ACT[g](x @ w + b)
    return x
