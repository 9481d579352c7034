"""Works in tiles of 32 and drops what is left over."""

import numpy as np

from honest import ACT


def forward(x, layers):
    for w, b, g in layers:
        rows, units = len(x), len(b)
        if rows > 32 and units > 32:
            z = np.zeros((rows, units), x.dtype) + b
            for i in range(rows // 32):
                for j in range(units // 32):
                    tile = slice(32 * i, 32 * i + 32), slice(32 * j, 32 * j + 32)
                    z[tile] += x[tile[0]] @ w[:, tile[1]]
        else:
            z = x @ w + b
        x = ACT[g](z)
    return x
