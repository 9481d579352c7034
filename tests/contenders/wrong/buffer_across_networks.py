"""Hands out one buffer for each input object, whatever the network."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}
BUFFERS = {}

def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    out = plain(x, layers)
    buffer = BUFFERS.setdefault((id(x), out.shape, out.dtype), np.empty_like(out))
    buffer[...] = out
    return buffer
