"""Activates the last layer only."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers[:-1]:
        x = x @ w + b
    w, b, g = layers[-1]
    return ACT[g](x @ w + b)
