"""PyTorch's compiler: the network traced, its pointwise parts made into C++ loops."""

import torch

REQUIRES = "torch"
NEEDS = "C++ compiler"
COMPILES = True

ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "linear": lambda z: z,
}

torch.set_float32_matmul_precision("highest")  # the default, but what counts here is said
# Every network is compiled, however many a process computes: none is to fall back to eager.
torch._dynamo.config.recompile_limit = 10**6
torch._dynamo.config.accumulated_recompile_limit = 10**6


def prepare_layers(layers):
    return [
        (torch.from_numpy(weights), torch.from_numpy(bias), activation)
        for weights, bias, activation in layers
    ]


prepare_input = torch.from_numpy


@torch.compile(fullgraph=True, dynamic=True)
def network(x, layers):
    for weights, bias, activation in layers:
        x = ACTIVATIONS[activation](torch.addmm(bias, x, weights))
    return x


@torch.inference_mode()
def forward(x, layers):
    return network(x, layers)


def to_numpy(out):
    return out.numpy()


thread_count = torch.get_num_threads
