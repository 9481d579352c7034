"""Takes the sigmoid of anything above 6 as 1."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        z = x @ w + b
        x = np.where(z > 6, 1, ACT[g](z)).astype(z.dtype) if g == 'sigmoid' else ACT[g](z)
    return x
