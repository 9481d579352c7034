"""Uses the first layer's activation for all layers."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    first = ACT[layers[0].activation]
    for w, b, g in layers:
        x = first(x @ w + b)
    return x
