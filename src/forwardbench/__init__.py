"""How much faster forward propagation gets as its loops go away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from forwardbench.notebook import Table

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def load(path: str | Path, baseline: str | None = None) -> Table:
    """Read a run's folder, a pytest-benchmark JSON file or asv's results as a pandas table.

    See `forwardbench.notebook.load`.
    """
    from forwardbench import notebook  # pandas is imported only when it is used

    return notebook.load(path, baseline)


def run(**wish: Any) -> Table:
    """Verify, measure, chart and report, as the command `forwardbench run` does.

    Takes sweeps, shapes, implementations, dtypes, threads (each a list), baseline, passes, limit,
    precision, max_time, quick and output. See `forwardbench.notebook.run`.
    """
    from forwardbench import notebook

    return notebook.run(**wish)
