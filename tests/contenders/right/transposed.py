"""Keeps examples in columns; a closure made in prepare_layers does the work."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def prepare_layers(layers):
    ready = [(np.ascontiguousarray(w.T), b[:, None], ACT[g]) for w, b, g in layers]

    def network(columns):
        for w, b, g in ready:
            columns = g(w @ columns + b)
        return columns

    return network


def prepare_input(x):
    return np.ascontiguousarray(x.T)


def forward(columns, network):
    return network(columns)


def to_numpy(out):
    return out.T
