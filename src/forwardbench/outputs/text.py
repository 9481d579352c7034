"""Write a bundle as text, by the catalogue's exports, and save it to files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forwardbench.errors import UserError
from forwardbench.files import write_to, write_whole
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.catalogue import Entry, export_entries


def texts_of(bundle: Bundle, flag: str) -> list[tuple[Entry, str]]:
    """The exports that declare a flag, KEPT or OFFERED, with their texts, without empty ones."""
    chosen = [entry for entry in export_entries() if entry.declared.get(flag)]
    return [(entry, entry.load().write(bundle)) for entry in chosen if not _is_empty(entry, bundle)]


def _is_empty(entry: Entry, bundle: Bundle) -> bool:
    is_empty = getattr(entry.load(), "is_empty", None)
    return bool(is_empty and is_empty(bundle))


def write_kept(bundle: Bundle, folder: Path) -> None:
    """Write the files of a run's folder that are made from its results; raises `UserError`."""
    for entry, text in texts_of(bundle, "KEPT"):
        write_text(folder / entry.declared["FILE"], text)


def write_text(path: Path, text: str, *, typed: bool = False) -> None:
    """Write a file completely or not at all; raises `UserError`.

    Links, pipes and devices are written through only where a person typed the path.
    """
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder, so give a file in it")
    try:
        (write_to if typed else write_whole)(path, text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def as_csv(frame: pd.DataFrame) -> str:
    """Write all columns of a frame as CSV; unknown values are empty."""
    return frame.to_csv(index=False, lineterminator="\n")
