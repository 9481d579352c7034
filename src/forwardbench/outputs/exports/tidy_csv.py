"""CSV with one row per cell: a run's `table.csv`, and its `break-even.csv` of first calls."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forwardbench.analysis.columns import (
    COLUMNS,
)
from forwardbench.errors import UserError
from forwardbench.files import write_whole
from forwardbench.results import Results


def write(results: Results, table: pd.DataFrame) -> str:
    """The columns of `COLUMNS`, in their order; what is not known is empty."""
    return as_csv(table[COLUMNS])


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the same into a file; raises `UserError`."""
    write_csv(table[COLUMNS], path)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write all columns of a frame into a file; raises `UserError`."""
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder, so give a file in it")
    try:
        write_whole(path, as_csv(frame))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def as_csv(frame: pd.DataFrame) -> str:
    """All columns of a frame; what is not known is empty."""
    return frame.to_csv(index=False, lineterminator="\n")
