"""Three loops over lists."""


def prepare_layers(layers):
    """Take the bias out, as a list."""
    return layers[-1].bias.tolist()


def prepare_input(x):
    """Make lists of rows."""
    return x.tolist()


def prepare_targets(targets):
    """Make lists of rows."""
    return targets.tolist()


def moments(x, targets, bias):
    """Add up number by number."""
    inputs, units = range(len(x[0])), range(len(bias))
    products = [[0.0 for _ in units] for _ in inputs]
    for row, target in zip(x, targets, strict=True):
        for i in inputs:
            for j in units:
                products[i][j] += row[i] * (target[j] - bias[j])
    return products, [sum(row[i] for row in x) for i in inputs]
