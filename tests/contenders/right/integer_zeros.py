"""Lists whose rectified zeros are integers, as a beginner writes them."""
import math

ACT = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)) if z > -700 else 0,
    "relu": lambda z: max(0, z),
    "tanh": math.tanh,
    "linear": lambda z: z,
}


def prepare_input(x):
    return x.tolist()


def prepare_layers(layers):
    return [(w.tolist(), b.tolist(), g) for w, b, g in layers]


def forward(x, layers):
    for w, b, g in layers:
        x = [
            [ACT[g](sum(a * w[i][j] for i, a in enumerate(row)) + b[j]) for j in range(len(b))]
            for row in x
        ]
    return x
