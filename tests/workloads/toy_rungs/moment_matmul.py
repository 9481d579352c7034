"""One matrix product."""


def moments(x, targets, layers):
    """Multiply whole arrays."""
    return x.T @ (targets - layers[-1].bias), x.sum(axis=0)
