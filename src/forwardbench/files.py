"""Write files completely or not at all, and read JSON files with clear errors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forwardbench.errors import UserError, describe_error


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a crash never leaves half of it.

    The temporary file is in the same folder, because a rename is atomic only there.
    """
    if path.exists() and not path.is_file():  # a pipe or a device; a folder raises
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()  # a link stays a link
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Read a JSON file; raises `UserError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UserError(
            f"{path} is torn or is not JSON: restore it (a pass or first-calls.json may be deleted)"
        ) from None


@contextmanager
def reporting_bad_contents(path: Path) -> Iterator[None]:
    """Turn every error about the contents of a JSON file into a `UserError`."""
    try:
        yield
    except UserError:
        raise
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,  # values nested so deep that they cannot be written out
    ) as error:
        raise UserError(
            f"{path} is not of a form that forwardbench writes ({describe_error(error)})"
        ) from None
