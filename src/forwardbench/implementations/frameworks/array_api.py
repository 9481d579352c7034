"""The array API standard, over NumPy: one kernel for every library that has it."""

from array_api_compat import array_namespace

REQUIRES = "array-api"

ACTIVATIONS = {
    "sigmoid": lambda xp, z: 0.5 * xp.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), no overflow
    "relu": lambda xp, z: xp.maximum(z, xp.zeros_like(z)),
    "tanh": lambda xp, z: xp.tanh(z),
    "linear": lambda xp, z: z,
}


def forward(x, layers):
    xp = array_namespace(x)  # NumPy's functions for NumPy's arrays, PyTorch's for tensors
    for weights, bias, activation in layers:
        z = xp.matmul(x, weights) + bias  # (batch, inputs) to (batch, units)
        x = ACTIVATIONS[activation](xp, z)
    return x
