"""PyTorch on the CPU, eager, in inference mode: an addmm and an activation a layer."""

import torch

REQUIRES = "torch"

ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "linear": lambda z: z,
}

torch.set_float32_matmul_precision("highest")  # the default, but what counts here is said


def prepare_layers(layers):
    return [
        (torch.from_numpy(weights), torch.from_numpy(bias), ACTIVATIONS[activation])
        for weights, bias, activation in layers
    ]


prepare_input = torch.from_numpy


@torch.inference_mode()
def forward(x, layers):
    for weights, bias, g in layers:
        x = g(torch.addmm(bias, x, weights))
    return x


def to_numpy(out):
    return out.numpy()


thread_count = torch.get_num_threads
