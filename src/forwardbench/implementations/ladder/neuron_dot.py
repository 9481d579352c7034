"""One np.dot per example and neuron, on the neuron's column of the weights."""

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
    units = len(bias)
    a_out = np.empty((len(a_in), units), a_in.dtype)
    for example in range(len(a_in)):
        for j in range(units):
            # A column of a row-major matrix is strided: neighbours lie `units` elements apart.
            a_out[example, j] = g(np.dot(weights[:, j], a_in[example]) + bias[j])
    return a_out
