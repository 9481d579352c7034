"""Uses its input as scratch space."""
import numpy as np

ACT = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}


def forward(x, layers):
    for number, (w, b, g) in enumerate(layers):
        z = ACT[g](x @ w + b)
        if number == 0:
            x[0, 0] = 0
        x = z
    return x
