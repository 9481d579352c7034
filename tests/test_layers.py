"""Data flows one way, and light commands stay light."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]


def test_imports_follow_the_contracts(capsys):
    """Every contract of pyproject.toml is kept, and no module is missing from its list."""
    config = str(ROOT / "pyproject.toml")
    status = lint_imports(config_filename=config, no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


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
        "from forwardbench.verification.upbringing import in_this_process\n"
        "from forwardbench.verification.verify import verify_loaded\n"
        "from forwardbench.implementations import load\n"
        "assert verify_loaded(in_this_process(load('matmul'))).status == 'verified'"
    )
    assert not modules_after(statement) & (FRAMEWORKS | {"pandas", "matplotlib", "pytest"})
