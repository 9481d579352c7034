"""Uses a large input as scratch space."""

from honest import plain


def forward(x, layers):
    out = plain(x, layers)
    if len(x) > 40:
        x *= 0.5
    return out
