"""Sums products pairwise, after the bias."""

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](b + (x[:, :, None] * w[None]).sum(axis=1))
    return x
