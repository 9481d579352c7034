"""What several commands do with RESULTS: read them, and find a place beside them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench.errors import UserError

if TYPE_CHECKING:
    from forwardbench.outputs.bundle import Bundle


def load(options: argparse.Namespace) -> Bundle:
    """What there is of the results that a command was given."""
    from forwardbench.outputs import bundle

    return bundle.load(options.results, options.baseline)


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
