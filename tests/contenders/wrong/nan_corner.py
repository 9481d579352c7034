"""Is NaN in one place."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    x[-1, -1] = np.nan
    return x
