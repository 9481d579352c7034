"""Three nested Python loops over lists: one interpreted multiply-add at a time."""

import math

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * math.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: max(z, 0.0),
    "tanh": math.tanh,
    "linear": lambda z: z,
}


def prepare_layers(layers):
    return [(weights.tolist(), bias.tolist(), activation) for weights, bias, activation in layers]


def prepare_input(x):
    return x.tolist()


def forward(x, layers):
    for weights, bias, activation in layers:
        x = dense(x, weights, bias, ACTIVATIONS[activation])
    return x


def dense(a_in, weights, bias, g):
    a_out = []
    for example in a_in:
        row = []
        for j in range(len(bias)):  # one neuron
            z = bias[j]
            for i in range(len(example)):  # one multiply-add
                z += example[i] * weights[i][j]
            row.append(g(z))
        a_out.append(row)
    return a_out
