"""The same three loops, indexing NumPy elements one by one: the classic mistake."""

import math

import numpy as np

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * math.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: max(z, 0.0),
    "tanh": math.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for weights, bias, activation in layers:
        x = dense(x, weights, bias, ACTIVATIONS[activation])
    return x


def dense(a_in, weights, bias, g):
    batch, inputs = a_in.shape
    units = len(bias)
    a_out = np.empty((batch, units), a_in.dtype)
    for example in range(batch):
        for j in range(units):  # one neuron
            z = bias[j]
            for i in range(inputs):  # one multiply-add, on NumPy scalars
                z += a_in[example, i] * weights[i, j]
            a_out[example, j] = g(z)
    return a_out
