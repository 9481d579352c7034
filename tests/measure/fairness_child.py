"""What the rungs of one framework do in a process of their own; see test_fairness.py."""

import os
import sys

import numpy as np

from forwardbench import processes
from forwardbench.cases import DTYPES, parse_case
from forwardbench.implementations import describe, load, output_arrays
from forwardbench.workloads.forward import make_inputs


def main(link):
    """Answer with what was seen of each rung, in the order asked for."""
    answer = {}
    for name in link.task["names"]:
        lower_precision(name)
        rung = load(name)
        module = sys.modules[f"forwardbench_implementation_{name}"]
        answer[name] = {
            "calls": {dtype: called(rung, module, dtype) for dtype in DTYPES},
            "imprecise": imprecise(module),
            "inherited": [each for each in processes.NOT_INHERITED if each in os.environ],
        }
        link.progress(name)
    link.answer(answer)


def called(rung, module, dtype):
    """Call forward while preparing and converting would raise; say what came of it."""
    x, layers = make_inputs(parse_case("3x4-4-2", "sigmoid", dtype))
    ready, (prepared,) = rung.prepare_layers(layers), rung.prepare_data([x])
    kept = {}
    for function in ("prepare_layers", "prepare_input", "to_numpy"):
        if hasattr(module, function):
            kept[function] = getattr(module, function)
            setattr(module, function, poison)
    try:
        out = rung.compute(prepared, ready)
    finally:
        for function, own in kept.items():
            setattr(module, function, own)
    (array,) = output_arrays(rung, out, dtype)
    own = np.asarray(rung.to_numpy(out)).dtype
    return {
        "dtype": str(array.dtype),
        "python numbers": isinstance(out, list) and own == np.float64,
        "finite": bool(np.isfinite(array).all()),
        "in": type(prepared).__name__,
        "out": type(out).__name__,
    }


def lower_precision(name):
    """Ask PyTorch for less, which a rung's file then has to take back."""
    if describe(name).requires == "torch":
        import torch

        torch.set_float32_matmul_precision("medium")
        torch.backends.cuda.matmul.allow_tf32 = True


def poison(*arguments, **options):
    """Stand where nothing may be called."""
    raise AssertionError("a conversion inside forward")


def imprecise(module):
    """Names of the settings that let a rung compute less precisely, by what its file imports."""
    found, imported = {}, vars(module)
    if torch := imported.get("torch"):
        products = torch.backends.cuda.matmul
        found |= {
            "float32 products": torch.get_float32_matmul_precision() != "highest",
            "TF32 of cuBLAS": products.allow_tf32,
        }
    if jax := imported.get("jax"):
        found |= {
            "default precision": jax.config.jax_default_matmul_precision != "highest",
            "no float64": not jax.config.jax_enable_x64,
        }
    if tf := imported.get("tf"):
        found["TF32"] = tf.config.experimental.tensor_float_32_execution_enabled()
    if make := imported.get("make_activations"):  # of numba_fused: a * b + c in one is exact
        for function in (each for dtype in DTYPES for each in make(dtype)):
            flags = function.targetoptions.get("fastmath") or {}
            found[f"fast math in {function.__name__}"] = flags != {"contract"}
    for name, value in imported.items():  # Numba's compiled functions
        found[f"fast math in {name}"] = bool(getattr(value, "targetoptions", {}).get("fastmath"))
    return [name for name, on in found.items() if on]
