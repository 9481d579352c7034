"""Takes the list of layers apart."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}

def prepare_layers(layers):
    mine = []
    while layers:
        mine.append(layers.pop(0))
    return mine


def plain(x, layers):
    for w, b, g in layers:
        x = ACT[g](x @ w + b)
    return x


def forward(x, layers):
    return plain(x, layers)
