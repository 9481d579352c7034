"""Read what was measured: run folders, pytest-benchmark's JSON files, and asv's results.

Each of them becomes the same two data frames: one with a row per cell and pass, and one with a
row per cell. `forwardbench.analysis` makes the table from these.
"""

from __future__ import annotations

from pathlib import Path

from forwardbench.errors import UserError
from forwardbench.results import asv, runs, several_machines
from forwardbench.results.model import (
    CELL_KEY,
    HOST,
    SAMPLE_COLUMNS,
    Ceilings,
    Circumstances,
    Origin,
    Results,
)

__all__ = [
    "CELL_KEY",
    "HOST",
    "SAMPLE_COLUMNS",
    "Ceilings",
    "Circumstances",
    "Origin",
    "Results",
    "holds_commits",
    "load",
    "load_history",
    "split_commit",
]


def load(source: str | Path) -> Results:
    """Read a run folder, a pytest-benchmark JSON file, or one commit of an asv results folder.

    A folder with a run folder for each machine is read as one. ``results/asv@1a2b3c4d`` names
    a commit; without a name the newest commit is read. Raises `UserError`.
    """
    path, commit = split_commit(source)
    if not path.exists():
        raise UserError(
            f"there are no results at {path}: give a run's folder, a JSON file or asv's results"
        )
    if asv.holds_results(path):
        return asv.load_commit(path, commit)
    if commit:
        raise UserError(f"{path} has one commit only: leave out @{commit}")
    if several_machines.run_folders(path):
        return several_machines.load_machines(path)
    return runs.load_folder(path) if path.is_dir() else runs.load_file(path)


def holds_commits(path: Path) -> bool:
    """Whether a path holds the results of several commits, as asv keeps them."""
    return asv.holds_results(path)


def load_history(source: str | Path) -> list[Results]:
    """Read every commit of an asv results folder, oldest first. Other sources hold only one."""
    path, commit = split_commit(source)
    if commit or not asv.holds_results(path):
        return [load(source)]
    return asv.load_commits(path)


def split_commit(source: str | Path) -> tuple[Path, str]:
    """Split ``PATH@COMMIT``. Where the whole text is an existing path, the commit is empty."""
    whole = Path(source)
    path, mark, commit = str(source).rpartition("@")
    if not mark or not path or "/" in commit or whole.exists():
        return whole, ""
    return Path(path), commit
