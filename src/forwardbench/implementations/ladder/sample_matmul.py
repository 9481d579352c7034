"""A Python loop over the examples only: one vector-matrix product each."""

import numpy as np

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for weights, bias, activation in layers:
        x = dense(x, weights, bias, ACTIVATIONS[activation])
    return x


def dense(a_in, weights, bias, g):
    a_out = np.empty((len(a_in), len(bias)), a_in.dtype)
    for example in range(len(a_in)):
        a_out[example] = g(np.matmul(a_in[example], weights) + bias)  # (inputs,) to (units,)
    return a_out
