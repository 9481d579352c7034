"""One np.einsum for the batch: the sum in index notation, by NumPy's own loops."""

import numpy as np

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for weights, bias, activation in layers:
        # Without optimize=True no BLAS is called: (batch, inputs) to (batch, units).
        z = np.einsum("bi,ij->bj", x, weights) + bias
        x = ACTIVATIONS[activation](z)
    return x
