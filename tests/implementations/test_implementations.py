"""The registry and the contract's defaults."""

import ast
import ctypes
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from forwardbench import implementations
from forwardbench.cases import parse_case
from forwardbench.implementations import ImplementationError, MissingExtraError, requirements
from forwardbench.workloads.forward import make_inputs

RUNGS = {
    "array_api": {"array_api_compat"},
    "array_api_torch": {"torch", "forwardbench"},  # whose kernel is array_api's, unchanged
    "cupy_cuda": {"cupy", "os"},
    "cupy_cuda_copies": {"cupy", "os"},
    "dask_array": {"dask", "numpy", "os", "threadpoolctl"},  # with one BLAS thread a task
    "einsum": {"numpy"},
    "jax_cpu": {"jax", "functools"},
    "matmul": {"numpy"},
    "matmul_inplace": {"numpy"},
    "ndarray_loops": {"math", "numpy"},
    "neuron_dot": {"math", "numpy"},
    "neuron_dot_rows": {"math", "numpy"},
    "numba_fused": {"numba", "llvmlite", "functools", "math", "numpy"},
    "numba_loops": {"numba", "math", "numpy"},
    "onnxruntime_cpu": {"contextlib", "onnx", "onnxruntime", "os"},
    "python_loops": {"math"},
    "sample_matmul": {"numpy"},
    "tensorflow_cpu": {"tensorflow", "os"},
    "torch_compiled": {"torch"},
    "torch_cpu": {"torch"},
    "torch_cuda": {"torch"},
    "torch_cuda_copies": {"torch"},
}
"""Each rung, and what its file imports."""


def test_the_folder_is_the_registry():
    """The rungs are the files, no more and no fewer, and each says what it is."""
    assert implementations.names() == sorted(RUNGS)
    for name in RUNGS:
        assert implementations.describe(name).summary.endswith(".")


def test_a_new_file_is_a_new_rung(tmp_path, monkeypatch):
    """Adding a rung means adding one file and touching nothing else."""
    family = tmp_path / "forward"
    family.mkdir()
    (family / "__init__.py").write_text('"""The rungs of this test."""\n')
    (family / "fast.py").write_text('"""A new rung."""\ndef forward(x, layers):\n    return x\n')
    monkeypatch.setattr(implementations, "FOLDER", tmp_path)
    assert implementations.names() == ["fast"]
    assert implementations.describe("fast").summary == "A new rung."
    assert implementations.load("fast").name == "fast"


@pytest.mark.parametrize("name", RUNGS)
def test_a_rung_imports_only_what_it_is_made_of(name):
    """A rung uses its own framework and NumPy, and nothing of this package."""
    tree = ast.parse((implementations.find(name)).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    assert imported == RUNGS[name]


def test_describing_does_not_run_a_file(contenders):
    """What a file says of itself is read even when running it would fail."""
    described = implementations.describe(str(contenders / "broken" / "raises_on_import.py"))
    assert described.summary == "Raises on import."


def test_what_a_users_file_needs_is_named_without_a_command(contenders):
    """Only forwardbench's own extras come with a command that installs them."""
    path = str(contenders / "broken" / "needs_framework.py")
    missing = (
        "needs no_such_framework, which is not installed: its file asks for it, not forwardbench"
    )
    assert implementations.describe(path).missing == missing
    with pytest.raises(MissingExtraError, match=missing):
        implementations.load(path)


NO_NAME = "needs something that its file does not name as a module: see REQUIRES there"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("REQUIRES = 'evil-package; rm -rf'", NO_NAME),
        ("REQUIRES = 'x, which is not installed: pip install evil-package'", NO_NAME),
        ("REQUIRES = 'x\\n\\x1b[31m'", NO_NAME),
        (
            "REQUIRES = 'evil-package'",
            "needs evil-package, which is not installed: its file asks for it, not forwardbench",
        ),
        (
            "REQUIRES = 'evil-package'\nNEEDS = 'CUDA GPU'",
            "needs a CUDA GPU: NVIDIA's driver is not installed: install it, or measure on a "
            "machine with a GPU",
        ),
        (
            "import evil_package",
            "needs evil_package, which is not installed: its file asks for it, not forwardbench",
        ),
        ("raise ModuleNotFoundError(name='pip install evil')", NO_NAME),
        (
            "raise ModuleNotFoundError(name='numpy.evil')",
            "needs numpy.evil, which is not installed: its file asks for it, not forwardbench",
        ),
        (
            "import jaxlib.mlir",
            "needs jaxlib.mlir, which is not installed: pip install 'forwardbench[jax]'",
        ),
    ],
)
def test_no_message_leads_to_installing_what_a_file_asks_for(lines, message, tmp_path, monkeypatch):
    """Neither a requirement nor an import of a user's file becomes a command, however written."""
    monkeypatch.setattr(requirements, "_load_driver", lambda: ctypes.CDLL("no such driver"))
    monkeypatch.setattr(requirements, "_is_installed", lambda module: module == "numpy")
    monkeypatch.setitem(sys.modules, "jaxlib", None)
    path = tmp_path / "mine.py"
    path.write_text(f"{lines}\n")
    with pytest.raises(MissingExtraError) as refused:
        implementations.load(str(path))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("matmull", "there is no implementation 'matmull': choose from array_api, array_api_torch"),
        ("nowhere/mine.py", "there is no implementation file 'nowhere/mine.py'"),
        ("__init__", "there is no implementation '__init__'"),
        ("../implementations/matmul", "there is no implementation"),
        ("", "there is no implementation ''"),
    ],
)
def test_an_unknown_reference_is_refused_with_the_choices(reference, message):
    """A name that is not a file of the folder, and a path that is no file, get one line."""
    with pytest.raises(ImplementationError, match=message):
        implementations.find(reference)


def test_a_file_may_import_its_neighbours(tmp_path):
    """A user's file works from any folder, with the modules that lie beside it."""
    (tmp_path / "neighbour_of_mine.py").write_text("import numpy as np\nmultiply = np.matmul\n")
    (tmp_path / "mine.py").write_text(
        "from neighbour_of_mine import multiply\n"
        "def forward(x, layers):\n    return multiply(x, layers[0].weights)\n"
    )
    code = (
        "from forwardbench.implementations import load\n"
        f"print(load({str(tmp_path / 'mine.py')!r}).name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "mine\n"


def test_defaults_are_filled_in(tmp_path):
    """A file with nothing but forward gets identity preparations and makes new outputs."""
    path = tmp_path / "bare.py"
    path.write_text("def forward(x, layers):\n    return x\n")
    bare = implementations.load(str(path))
    marker: Any = object()
    assert bare.prepare_layers(marker) is bare.prepare_data([marker])[0] is bare.to_numpy(marker)
    assert not bare.reuses_output


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lists_of_python_floats_take_the_dtype_of_the_case(dtype):
    """Python's floats have no precision of their own to be wrong about."""
    loops = implementations.load("python_loops")
    for out, expected in (
        ([[0.1, 0.2]], dtype), ([[0, 0]], dtype), (np.zeros((1, 2), "float64"), "float64"),
    ):  # fmt: skip
        (array,) = implementations.output_arrays(loops, out, dtype)
        assert array.dtype == expected


def test_a_reused_buffer_is_declared_and_real():
    """matmul_inplace hands out one buffer a batch size, and says so."""
    rung = implementations.load("matmul_inplace")
    x, layers = make_inputs(parse_case("3x4-2"))
    ready = rung.prepare_layers(layers)
    first = rung.compute(x, ready)
    assert rung.reuses_output
    assert rung.compute(x, ready) is first
    assert rung.compute(x[:2], ready).shape == (2, 2)


def test_what_a_file_says_of_itself_may_be_annotated(tmp_path):
    """`COMPILES: bool = True` says the same as `COMPILES = True`."""
    path = tmp_path / "mine.py"
    path.write_text('COMPILES: bool = True\nREQUIRES: str = "numpy"\nforward = print\n')
    described = implementations.describe(str(path))
    assert (described.compiles, described.requires) == (True, "numpy")


def test_a_need_that_nobody_knows_is_refused(tmp_path):
    """A misspelt GPU would be held against the CPU's peak without a word."""
    path = tmp_path / "mine.py"
    path.write_text('NEEDS = "cuda gpu"\nforward = print\n')
    message = "has NEEDS = 'cuda gpu': write 'C\\+\\+ compiler' or 'CUDA GPU'"
    with pytest.raises(ImplementationError, match=message):
        implementations.load(str(path))
