"""What several commands do with RESULTS: load them, and choose the path of the output."""

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
    """Load the results that a command was given, with everything computed from them."""
    from forwardbench.outputs import bundle

    return bundle.load(options.results, options.baseline)


def output_path(options: argparse.Namespace, name: str) -> Path:
    """The path of a command's output: ``--output``, or ``name`` beside the results."""
    from forwardbench.results import split_commit

    if options.output:
        return Path(options.output)
    results, _ = split_commit(options.results)
    return (results if results.is_dir() else results.parent) / name


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` while writing into a `UserError` of one line."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
