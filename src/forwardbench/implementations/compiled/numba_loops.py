"""The plain three loops, compiled: loops are not slow, interpreting them is."""

import math

import numba
import numpy as np

REQUIRES = "numba"
COMPILES = True

ACTIVATIONS = {
    "sigmoid": numba.njit(lambda z: 0.5 * math.tanh(0.5 * z) + 0.5),  # without overflow
    "relu": numba.njit(lambda z: max(z, 0.0)),
    "tanh": numba.njit(lambda z: math.tanh(z)),
    "linear": numba.njit(lambda z: z),
}


def prepare_layers(layers):
    return [(weights, bias, ACTIVATIONS[activation]) for weights, bias, activation in layers]


def forward(x, layers):
    for weights, bias, g in layers:
        x = dense(x, weights, bias, g)
    return x


@numba.njit
def dense(a_in, weights, bias, g):
    batch, inputs = a_in.shape
    units = len(bias)
    a_out = np.empty((batch, units), a_in.dtype)
    for example in range(batch):
        for j in range(units):  # one neuron
            z = bias[j]
            for i in range(inputs):  # one multiply-add
                z += a_in[example, i] * weights[i, j]
            a_out[example, j] = g(z)
    return a_out
