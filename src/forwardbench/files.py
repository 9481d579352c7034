"""Write files completely or not at all, and read files of data with clear errors."""

from __future__ import annotations

import gc
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forwardbench.errors import UserError, describe_error

LARGEST_FILE = 2**28
"""Bytes of the largest file that is read. A pass of 10,000 cells has a tenth of that."""
PART = ".part"
"""How the name of a file ends that is still being written."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


# --- writing ---------------------------------------------------------------------------------


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that neither a crash nor a signal leaves half of it.

    Whatever has this name is replaced. If it is a link, the file that it leads to stays as it is:
    a folder from elsewhere must not choose which file is written. The temporary file is in the
    same folder, because a rename is atomic only there.
    """
    # What UTF-8 cannot hold is written as a terminal shows it.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    partial = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:  # x: a link is not followed here either
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_to(path: Path, text: str) -> None:
    """Write to a path that a person typed: also through a link, to a pipe or to a device."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    else:
        write_whole(path.resolve(), text)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    if folder.is_symlink():
        return
    for path in folder.glob(f"*{PART}"):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)


def check_name(flag: str, text: str) -> None:
    """Refuse the name of an output that is not a text everywhere; raises `UserError`.

    It becomes part of files and messages, which are UTF-8.
    """
    try:
        text.encode("utf-8")
        os.fsencode(text)
        is_text = "\0" not in text
    except UnicodeEncodeError:
        is_text = False
    if not text:
        raise UserError(f"{flag} is empty: give a name, or leave it out")
    if not is_text:
        raise UserError(f"{flag} {text!a} cannot be written as text: choose another name")


def check_no_link(folder: Path) -> Path:
    """Return the path of a folder that files are written into; raises `UserError` for a link.

    A run's folder may come from elsewhere, and a link in it may lead anywhere.
    """
    if folder.is_symlink():
        raise UserError(f"{folder} is a link, so nothing is written there: remove the link")
    return folder


# --- reading ---------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """Read a file of data: UTF-8, with or without a byte order mark.

    Everything that comes from elsewhere is read here. Raises `UserError` if it is not a regular
    file or has more than `LARGEST_FILE` bytes, and `UnicodeDecodeError` if it is not UTF-8.
    """
    try:
        about = path.stat()  # before it is opened: opening a pipe would wait for its writer
        kind = _KINDS.get(stat.S_IFMT(about.st_mode), "")
        if kind:
            raise UserError(f"cannot read {path}: it is {kind}, not a file")
        if about.st_size > LARGEST_FILE:
            raise UserError(
                f"{path} has {about.st_size / 2**20:,.0f} MiB, and forwardbench reads files of at "
                f"most {LARGEST_FILE / 2**20:,.0f} MiB: is it the right one?"
            )
        with path.open("rb") as file:
            return file.read(about.st_size).decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def read_json(path: Path) -> Any:
    """Read a JSON file; raises `UserError`."""
    try:
        return json.loads(read_text(path))
    except UserError:
        raise
    except (ValueError, RecursionError):  # also a number of thousands of digits
        raise UserError(
            f"{path} is torn or is not JSON: restore it (a pass or first-calls.json may be deleted)"
        ) from None
    except MemoryError:
        raise UserError(f"{path} needs more memory than there is: end other programs") from None


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


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Switch Python's garbage collection off while much is made and nothing becomes free.

    While files are read, or figures are drawn and saved, it would search everything again and
    again, find nothing, and take a sixth to a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
