"""What several commands do with RESULTS: read them, judge them, and find a place beside them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

    from forwardbench.results import Results


def load_table(options: argparse.Namespace) -> tuple[Results, DataFrame]:
    """The results that were named, and their table."""
    from forwardbench import results
    from forwardbench.analysis.table import summarize

    loaded = results.load(options.results)
    return loaded, summarize(loaded, options.baseline)


def warnings_of(options: argparse.Namespace, loaded: Results, table: DataFrame) -> list[str]:
    """What speaks against the results that were named."""
    from forwardbench.analysis.warnings import doubts_of

    run = Path(options.results)
    return doubts_of(loaded, table, run if (run / "run.json").is_file() else None)


def beside(options: argparse.Namespace, name: str) -> Path:
    """Where a command's output goes: as asked, or beside the results."""
    from forwardbench.results import split_commit

    if options.output:
        return Path(options.output)
    results, _ = split_commit(options.results)
    return (results if results.is_dir() else results.parent) / name


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line what cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
