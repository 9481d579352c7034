"""PyTorch on a CUDA GPU, with the copies: from NumPy to the GPU and back in each call."""

import torch

REQUIRES = "torch"
NEEDS = "CUDA GPU"

ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "linear": lambda z: z,
}

# Full precision: float32 is not multiplied as TF32, and no sum is kept in half precision.
torch.set_float32_matmul_precision("highest")
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False

try:
    torch.mm(torch.ones(1, 1, device="cuda"), torch.ones(1, 1, device="cuda")).item()
except (RuntimeError, AssertionError) as error:  # the latter of a build for the CPU
    raise ImportError(
        f"PyTorch {torch.__version__} cannot use the GPU; a build that can is chosen at "
        f"https://pytorch.org/get-started/locally: {error}"
    ) from error


def prepare_layers(layers):  # copied to the GPU once, and left there
    return [
        (
            torch.tensor(weights, device="cuda"),
            torch.tensor(bias, device="cuda"),
            ACTIVATIONS[activation],
        )
        for weights, bias, activation in layers
    ]


@torch.inference_mode()
def forward(x, layers):
    x = torch.from_numpy(x).to("cuda")
    for weights, bias, g in layers:
        x = g(torch.addmm(bias, x, weights))
    return x.cpu().numpy()  # the copy waits for the work that it is the result of


thread_count = torch.get_num_threads
