"""Data flows one way, and light commands stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import forwardbench

PACKAGE = Path(forwardbench.__file__).parent
ORDER = [
    "errors", "units", "files", "processes", "statistics", "cases", "workloads", "records",
    "implementations", "verification", "measure", "results", "analysis", "outputs", "cluster",
    "commands", "api", "__main__",
]  # fmt: skip
"""Each may import what stands before it."""


def imported_parts(path):
    """Top-level parts of forwardbench that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "forwardbench":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forwardbench."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("forwardbench."):
                    yield alias.name.split(".")[1]


def part_of(path):
    """The top-level part that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_follow_the_order(path):
    """No part imports what comes after it, and no part is missing from the order."""
    if path == PACKAGE / "__init__.py":
        return
    own = ORDER.index(part_of(path))
    for part in imported_parts(path):
        assert ORDER.index(part) <= own, f"{path.name} imports {part}"


FRAMEWORKS = {"torch", "jax", "tensorflow", "numba", "cupy", "dask", "onnxruntime"}


def modules_after(statement):
    """Names of the top-level modules that are loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "statement",
    [
        "import forwardbench",
        "import forwardbench.commands.main",
        "from forwardbench.commands.main import main; main(['list'])",
    ],
)
def test_light_commands_import_nothing_heavy(statement):
    """Importing the package and listing load no NumPy, no pandas, no chart, no test runner."""
    heavy = {"numpy", "pandas", "matplotlib", "scipy", "pytest", "rich"} | FRAMEWORKS
    assert not modules_after(statement) & heavy


def test_verifying_a_numpy_rung_imports_no_framework():
    """Only what was asked for is imported."""
    statement = (
        "from forwardbench.verification.verify import verify_loaded\n"
        "from forwardbench.implementations import load\n"
        "assert verify_loaded(load('matmul')).status == 'verified'"
    )
    assert not modules_after(statement) & (FRAMEWORKS | {"pandas", "matplotlib", "pytest"})
