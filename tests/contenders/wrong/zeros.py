"""Does no work."""

import numpy as np


def forward(x, layers):
    return np.zeros((len(x), len(layers[-1].bias)), x.dtype)
