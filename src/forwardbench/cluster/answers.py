"""What a host sends back of a run, as bytes: a line of JSON, then an archive of the run's data.

Both ends use this module. The archive holds data only. Tables, charts and pages are made by the
client, which writes no file under a name that is not listed here.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forwardbench.cluster.plain_data import read_json
from forwardbench.errors import one_line
from forwardbench.files import LARGEST_FILE

MOST_FILES = 10_000
LARGEST_RUN = 2**30
"""Largest total size in bytes of a run's files, and of their archive."""
_MOST_HEADER_BYTES = 2**16
_FILE_NAME = re.compile(r"run\.json|first-calls\.json|pass-[0-9]{3,5}\.json", re.ASCII)


class BadRunError(Exception):
    """A run that was fetched cannot be kept; the message says what its host did."""


@dataclass(frozen=True)
class Answer:
    """How a run on a host ended."""

    trouble: str = ""
    """Why there is no run, in one line; empty if there is one."""
    status: int = 1
    """The exit status of the command there."""
    run: bytes = field(default=b"", repr=False)
    """A zip archive of the run's data."""


def write_answer(answer: Answer) -> bytes:
    """Write an answer as bytes, on the host."""
    header = {"trouble": one_line(answer.trouble), "status": answer.status}
    return json.dumps(header).encode() + b"\n" + answer.run


def read_answer(data: object) -> Answer:
    """Read the bytes of an answer; raises `BadRunError` if they are anything else."""
    if not isinstance(data, bytes | bytearray):
        raise BadRunError(f"sent a {type(data).__name__} instead of bytes")
    header, _, run = bytes(data).partition(b"\n")
    try:
        read = read_json(header, _MOST_HEADER_BYTES)
        trouble, status = read["trouble"], read["status"]
    except (ValueError, TypeError, LookupError) as error:
        why = str(error) if isinstance(error, ValueError) else "sent what is not an answer"
        raise BadRunError(why) from None
    if not isinstance(trouble, str) or type(status) is not int or abs(status) > 255:
        raise BadRunError("sent what is not an answer")
    if not trouble and not run:
        raise BadRunError("brought nothing back")
    return Answer(one_line(trouble), status, run)


def pack(run: Path) -> bytes:
    """Pack the data of a run's folder into a zip archive, on the host."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(run.iterdir()):
            if _FILE_NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                file.write(path, path.name)
    return archive.getvalue()


def unpack(run: bytes, folder: Path) -> None:
    """Write the files of an archive into a new folder; raises `BadRunError` and `OSError`.

    Only the names of a run's data are written, and nothing larger than the limits above.
    """
    if len(run) > LARGEST_RUN:
        raise BadRunError(f"brought back {len(run) / 2**20:,.0f} MiB: too much")
    try:
        with zipfile.ZipFile(io.BytesIO(run)) as archive:
            _check_files(archive.infolist())
            folder.mkdir()
            for name, content in _contents(archive):
                (folder / name).write_bytes(content)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadRunError(f"brought back what is not a run: {one_line(error)}") from None


def _check_files(files: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse unknown or repeated names, what is no plain file, and archives that are too large."""
    total = sum(file.file_size for file in files)
    if total > LARGEST_RUN or len(files) > MOST_FILES:
        raise BadRunError(f"brought back {total / 2**20:,.0f} MiB in {len(files)} files: too much")
    seen: set[str] = set()
    for file in files:
        name = one_line(file.filename)
        link = (file.external_attr >> 16) & 0o170000 == 0o120000
        if not _FILE_NAME.fullmatch(file.filename) or link:
            raise BadRunError(f"brought back a file that is not a run's data: {name!r}")
        if file.filename in seen:
            raise BadRunError(f"brought back {name!r} twice")
        if file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadRunError(f"brought back {name!r} in a compression that is not expected")
        if file.file_size > LARGEST_FILE:
            raise BadRunError(f"brought back {name!r} of {file.file_size / 2**20:,.0f} MiB")
        seen.add(file.filename)


def _contents(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """The files, one at a time. A header may lie about a size, so reading has a limit too."""
    for info in archive.infolist():
        with archive.open(info) as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise BadRunError(f"brought back {info.filename!r} of more than it says")
        yield info.filename, content
