"""Returns float64 for float32."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x.astype(np.float64)
