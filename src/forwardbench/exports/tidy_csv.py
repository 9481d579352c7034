"""CSV with one row per cell: a run's `table.csv`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forwardbench.analysis import COLUMNS
from forwardbench.errors import UserError
from forwardbench.files import write_whole
from forwardbench.results import Results


def write(results: Results, table: pd.DataFrame) -> str:
    """The columns of `COLUMNS`, in their order; what is not known is empty."""
    return _as_csv(table)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the same into a file; raises `UserError`."""
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder, so give a file in it")
    try:
        write_whole(path, _as_csv(table))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _as_csv(table: pd.DataFrame) -> str:
    return table[COLUMNS].to_csv(index=False, lineterminator="\n")
