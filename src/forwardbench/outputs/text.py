"""Write a bundle as text, by the catalogue's exports, and save it to files; CSV both ways."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pandas as pd

from forwardbench.analysis.columns import TEXT_COLUMNS
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


_FORMULA = re.compile(r"'*[\t\r\n ]*[-=+@\uff0d\uff1d\uff0b\uff20]")
"""How a text begins that a spreadsheet may take for a formula, or that was written as below.

The last four are the full-width forms of the first, which some spreadsheets take for the same.
"""


def as_csv(frame: pd.DataFrame) -> str:
    """Write all columns of a frame as CSV; unknown values are empty.

    Names and reasons come from files. One that a spreadsheet would take for a formula gets a `'`
    before it; numbers stay numbers. `read_csv` takes the sign off again.
    """
    safe = frame.copy()
    for name in frame:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            safe[name] = frame[name].map(_mark)
    return safe.to_csv(index=False, lineterminator="\n")


def read_csv(text: str) -> pd.DataFrame:
    """Read a `table.csv`, or another CSV with such columns; unknown numbers are NaN."""
    columns = text.partition("\n")[0].split(",")
    texts = [name for name in columns if name in TEXT_COLUMNS]
    types: dict[str, Any] = {**dict.fromkeys(texts, str), "credible": "boolean"}
    frame = pd.read_csv(
        io.StringIO(text),
        dtype={name: types[name] for name in columns if name in types},
        na_values={name: [""] for name in columns if name not in texts},
        keep_default_na=False,
    )
    return frame.assign(**{name: frame[name].map(_unmark) for name in texts})


def _mark(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _unmark(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
