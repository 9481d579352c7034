"""The vectorized form into buffers made once: what allocation and temporaries cost."""

import numpy as np

REUSES_OUTPUT = True  # the next call overwrites what this one returned


def sigmoid(z):  # 1 / (1 + exp(-z)), written as (tanh(z / 2) + 1) / 2, which cannot overflow
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5


ACTIVATIONS = {
    "sigmoid": sigmoid,
    "relu": lambda z: np.maximum(z, 0, out=z),
    "tanh": lambda z: np.tanh(z, out=z),
    "linear": lambda z: z,
}


def prepare_layers(layers):
    return [(*layer, {}) for layer in layers]  # the dict keeps a buffer for each batch size


def forward(x, layers):
    for weights, bias, activation, buffers in layers:
        batch = len(x)
        if batch not in buffers:
            buffers[batch] = np.empty((batch, len(bias)), weights.dtype)
        x = np.matmul(x, weights, out=buffers[batch])
        x += bias
        ACTIVATIONS[activation](x)
    return x
