"""Drops inputs past a multiple of eight."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        n = len(w) if len(w) < 8 else len(w) // 8 * 8
        x = ACT[g](x[:, :n] @ w[:n] + b)
    return x
