"""Sums from the last input to the first."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](b + x[:, ::-1] @ w[::-1])
    return x
