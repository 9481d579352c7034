"""Computes nothing until its result is looked at."""

from honest import ACT


def forward(x, layers):
    return x, layers


def to_numpy(out):
    x, layers = out
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x
