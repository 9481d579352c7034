"""Skips hidden layers of unchanged width."""

from honest import ACT


def forward(x, layers):
    for number, (w, b, g) in enumerate(layers):
        if number and w.shape[0] == w.shape[1]:
            continue
        x = ACT[g](x @ w + b)
    return x
