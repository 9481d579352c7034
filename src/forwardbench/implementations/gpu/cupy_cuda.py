"""CuPy on a CUDA GPU, computing only: input, weights and result stay on the GPU."""

import os

os.environ["CUPY_TF32"] = "0"  # full precision: float32 is not multiplied as TF32

import cupy as cp

REQUIRES = "cupy"
NEEDS = "CUDA GPU"
COMPILES = True  # its elementwise kernels, when first called

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * cp.tanh(0.5 * z) + 0.5,  # 1 / (1 + exp(-z)), without overflow
    "relu": lambda z: cp.maximum(z, 0),
    "tanh": cp.tanh,
    "linear": lambda z: z,
}

try:
    cp.asnumpy(cp.matmul(cp.ones((1, 1)), cp.ones((1, 1))))
except Exception as error:  # which one depends on the library of CUDA that fails
    raise ImportError(
        f"CuPy {cp.__version__} cannot use the GPU; what it needs is at "
        f"https://docs.cupy.dev/en/stable/install.html: {error}"
    ) from error


def prepare_layers(layers):  # copied to the GPU once, and left there
    return [
        (cp.asarray(weights), cp.asarray(bias), ACTIVATIONS[activation])
        for weights, bias, activation in layers
    ]


prepare_input = cp.asarray


def forward(x, layers):
    for weights, bias, g in layers:
        z = cp.matmul(x, weights) + bias  # (batch, inputs) to (batch, units)
        x = g(z)
    cp.cuda.get_current_stream().synchronize()  # until here work was only queued
    return x


to_numpy = cp.asnumpy
