"""The rungs on a GPU: what they ask of it, on a pretended one, and that they run on a real one."""

import ctypes
import os
import sys

import numpy as np
import pytest

from builders import pretend_gpu
from builders.contenders import judged
from builders.pretend_gpu import GPU, OnGPU
from builders.requests import SMALL, planned
from forwardbench import implementations
from forwardbench.cases import DTYPES, parse_case
from forwardbench.implementations import MissingExtraError, requirements
from forwardbench.measure.passes import run_pass
from forwardbench.verification.verify import verify
from forwardbench.workloads.forward import make_inputs

RUNGS = {"torch_cuda": "torch", "cupy_cuda": "cupy"}
"""Those that compute only, each with its framework; `_copies` in the name adds the copies."""
EVERY = [*RUNGS, *(f"{name}_copies" for name in RUNGS)]
WORK = {"torch_cuda": ["addmm", "tanh"], "cupy_cuda": ["matmul", "add", "tanh"]}
"""What a layer is made of."""


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that there is a GPU with both frameworks."""
    made = GPU()
    monkeypatch.setattr(requirements, "_gpu_names", lambda: ["Pretended GPU"])
    monkeypatch.setitem(sys.modules, "torch", pretend_gpu.torch_on(made))
    monkeypatch.setitem(sys.modules, "cupy", pretend_gpu.cupy_on(made))
    monkeypatch.setitem(sys.modules, "array_api_compat", pretend_gpu.module("array_api_compat"))
    monkeypatch.setenv("CUPY_TF32", "1")
    return made


def loaded(gpu, reference):
    """A rung that has been imported, and nothing noted yet."""
    rung = implementations.load(reference)
    gpu.notes.clear()
    return rung


@pytest.mark.parametrize("name", EVERY)
def test_gpu_rungs_are_right_and_finished_on_a_pretended_gpu(gpu, name):
    """They pass every check that a real one's results must pass."""
    verdict = judged(loaded(gpu, name))
    assert (verdict.status, verdict.reason) == ("verified", "")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RUNGS)
def test_computing_only_copies_nothing_and_waits_at_the_end(gpu, name, dtype):
    """Weights and input go to the GPU before; forward computes, waits, and leaves its result."""
    rung = loaded(gpu, name)
    x, layers = make_inputs(parse_case("4x6-5-3", "tanh", dtype))
    ready = rung.prepare_layers(layers)
    assert gpu.notes == ["copy in"] * 4  # two layers' weights and biases
    (prepared,) = rung.prepare_data([x])
    assert gpu.notes == ["copy in"] * 5
    gpu.notes.clear()
    out = rung.compute(prepared, ready)
    assert gpu.notes == [*WORK[name] * 2, "synchronize"]
    assert gpu.queue == []
    assert isinstance(out, OnGPU)
    assert rung.to_numpy(out).dtype == out.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RUNGS)
def test_with_the_copies_forward_takes_numpy_and_returns_numpy(gpu, name, dtype):
    """The input goes in and the result comes out in each call; the weights stay where they are."""
    rung = loaded(gpu, f"{name}_copies")
    x, layers = make_inputs(parse_case("4x6-5-3", "tanh", dtype))
    ready = rung.prepare_layers(layers)
    assert gpu.notes == ["copy in"] * 4
    gpu.notes.clear()
    assert rung.prepare_data([x])[0] is x
    for _ in range(2):
        gpu.notes.clear()
        out = rung.compute(x, ready)
        assert gpu.notes == ["copy in", *WORK[name] * 2, "copy out"]
        assert gpu.queue == []
        assert type(out) is np.ndarray
        assert out.dtype == dtype


@pytest.mark.parametrize("name", RUNGS)
def test_a_gpu_rung_that_does_not_wait_is_rejected(gpu, name, tmp_path):
    """Without the line that synchronizes, its work is done when the result is read."""
    lines = (implementations.find(name)).read_text().splitlines()
    kept = [line for line in lines if ".synchronize()" not in line]
    assert len(kept) == len(lines) - 1
    (tmp_path / "hasty.py").write_text("\n".join(kept))
    verdict = judged(loaded(gpu, str(tmp_path / "hasty.py")))
    assert verdict.status == "rejected"
    assert "forward returned" in verdict.reason


@pytest.mark.parametrize("name", EVERY)
def test_reduced_precision_is_off_on_a_gpu(gpu, name):
    """Whatever was on before: TF32 for products, and half precision for sums."""
    implementations.load(name)
    torch = sys.modules["torch"]
    if name.startswith("cupy"):
        assert os.environ["CUPY_TF32"] == "0"
        return
    assert torch.float32_matmul_precision == "highest"
    assert set(vars(torch.backends.cuda.matmul).values()) == {False}
    assert set(vars(torch.backends.cudnn).values()) == {False}


@pytest.mark.parametrize("name", EVERY)
def test_a_framework_that_cannot_use_the_gpu_is_unavailable_with_the_reason(gpu, name, monkeypatch):
    """As PyTorch's build for the CPU; the message says where to get another."""

    def fails(*arguments, **options):
        raise AssertionError("Torch not compiled with CUDA enabled")

    monkeypatch.setattr(sys.modules[name.partition("_")[0]], "ones", fails)
    with pytest.raises(MissingExtraError) as caught:
        implementations.load(name)
    said = str(caught.value)
    assert said.startswith("cannot be used here: ")
    assert " 1.2.3 cannot use the GPU; " in said
    assert "https://" in said
    assert said.endswith(": Torch not compiled with CUDA enabled")


def test_without_a_gpu_that_is_said_before_the_packages(monkeypatch):
    """Without one no package is worth installing, so it comes first."""
    monkeypatch.setattr(requirements, "_is_installed", lambda module: False)

    def no_driver():
        raise OSError

    monkeypatch.setattr(requirements, "_load_driver", no_driver)
    for name in EVERY:
        assert implementations.describe(name).missing == (
            "needs a CUDA GPU: NVIDIA's driver is not installed: install it, or measure on a "
            f"machine with a GPU; then pip install 'forwardbench[{name.partition('_')[0]}]'"
        )
        assert verify(name).status == "unavailable"
    monkeypatch.setattr(requirements, "_gpu_names", lambda: ["Pretended GPU"])
    assert implementations.describe("cupy_cuda").missing == (
        "needs cupy, which is not installed: pip install 'forwardbench[cupy]'"
    )


class Driver:
    """NVIDIA's driver, as its C interface answers."""

    def __init__(self, names, status=0):
        self.names, self.status = names, status

    def cuInit(self, flags):  # noqa: N802
        """Start it."""
        return self.status

    def cuDeviceGetCount(self, count):  # noqa: N802
        """Write the number of GPUs through a pointer."""
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = len(self.names)
        return 0

    def cuDeviceGetName(self, name, size, number):  # noqa: N802
        """Write a GPU's name into a buffer."""
        name.value = self.names[number].encode()[: size - 1]
        return 0


@pytest.mark.parametrize(
    ("driver", "names"),
    [
        (Driver(["NVIDIA One", "NVIDIA Two"]), ["NVIDIA One", "NVIDIA Two"]),
        (Driver([]), []),
        (Driver(["NVIDIA One"], status=100), []),  # CUDA_ERROR_NO_DEVICE
    ],
)
def test_the_driver_is_asked_for_its_gpus(monkeypatch, driver, names):
    """Their names, or none where it cannot be started."""
    monkeypatch.setattr(requirements, "_load_driver", lambda: driver)
    assert requirements.gpus() == names
    said = "" if names else "needs a CUDA GPU: NVIDIA's driver finds none: see what nvidia-smi says"
    assert requirements.missing("", requirements.GPU) == said


@pytest.mark.skipif(not requirements.gpus(), reason=requirements.missing("", requirements.GPU))
@pytest.mark.parametrize("name", EVERY)
def test_gpu_rungs_run_on_a_real_gpu(name):
    """Where there is one, each is verified and measured, unless its framework cannot use it."""
    verdict = verify(name)
    if verdict.status == "unavailable":
        pytest.skip(verdict.reason)
    assert (verdict.status, verdict.reason) == ("verified", "")
    result = run_pass(planned(name), "seed", {"machine": {"cpu": {}}, "commit": {}})
    assert result.failures == {}
    assert len(result.benchmark["benchmarks"]) == len(SMALL.cases)
