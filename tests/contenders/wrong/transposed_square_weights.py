"""Transposes the weights where their shape cannot tell."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        if w.shape[0] == w.shape[1]:
            w = w.T
        x = ACT[g](x @ w + b)
    return x
