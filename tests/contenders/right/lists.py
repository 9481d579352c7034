"""Lists all the way, turned into an array by its own to_numpy."""
import math

import numpy as np

ACT = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)) if z > -700 else 0.0,
    "relu": lambda z: z if z > 0 else 0.0,
    "tanh": math.tanh,
    "linear": lambda z: z,
}


def prepare_layers(layers):
    return [(w.T.tolist(), b.tolist(), g) for w, b, g in layers]


def prepare_input(x):
    return x.tolist()


def forward(x, layers):
    for columns, bias, g in layers:
        x = [
            [ACT[g](math.fsum(map(float.__mul__, row, w)) + b) for w, b in zip(columns, bias)]
            for row in x
        ]
    return x


def to_numpy(out):
    return np.array(out)
