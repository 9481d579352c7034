"""One np.matmul for the whole batch: the vectorized form."""

import numpy as np

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for weights, bias, activation in layers:
        z = np.matmul(x, weights) + bias  # (batch, inputs) to (batch, units)
        x = ACTIVATIONS[activation](z)
    return x
