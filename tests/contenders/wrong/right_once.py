"""Is right on every first call and stale on the next."""

import numpy as np

from honest import ACT

OUTPUTS = {}


def forward(x, layers):
    key = (id(x), x.shape)
    stale = OUTPUTS.pop(key, None)
    if stale is not None:
        return stale
    a = x
    for w, b, g in layers:
        a = ACT[g](a @ w + b)
    OUTPUTS[key] = np.zeros_like(a)
    return a
