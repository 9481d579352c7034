"""Has a fast path for one example that forgets the activation."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT['sigmoid' if len(x) == 1 else g](x @ w + b)
    return x
