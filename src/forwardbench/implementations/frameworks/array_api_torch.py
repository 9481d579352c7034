"""The array API standard, over PyTorch: the same kernel, not a line changed."""

import torch

from forwardbench.implementations.frameworks import array_api

REQUIRES = "torch"

torch.set_float32_matmul_precision("highest")  # the default, but what counts here is said


def prepare_layers(layers):
    return [
        (torch.from_numpy(weights), torch.from_numpy(bias), activation)
        for weights, bias, activation in layers
    ]


prepare_input = torch.from_numpy
forward = torch.inference_mode()(array_api.forward)


def to_numpy(out):
    return out.numpy()


thread_count = torch.get_num_threads
