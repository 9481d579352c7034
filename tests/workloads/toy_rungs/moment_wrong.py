"""Forgets the bias."""


def moments(x, targets, layers):
    """Multiply whole arrays, the wrong ones."""
    return x.T @ targets, x.sum(axis=0)
