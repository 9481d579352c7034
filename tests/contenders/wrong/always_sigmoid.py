"""Ignores the activation's name."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT['sigmoid'](x @ w + b)
    return x
