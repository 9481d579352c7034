"""All that is printed goes through here: data to stdout, messages for people to stderr.

Names, paths, reasons and docstrings come from files, and a terminal must not obey what they
contain. So text is written with `forwardbench.errors.printable`. A stream that nobody reads any
more, or that has no room, ends no command: what was measured is still written to its files.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import traceback
import warnings
from types import TracebackType
from typing import TextIO

from forwardbench.commands.shared.exit_status import GOOD, USAGE
from forwardbench.errors import describe_error, printable

STDOUT, STDERR = "stdout", "stderr"

_lost: dict[str, tuple[TextIO, Exception]] = {}
"""The streams that took no more text, by name, with the error."""


def print_line(line: str = "") -> None:
    """Print a line of results on stdout."""
    _write(STDOUT, f"{printable(line)}\n")


def print_text(text: str) -> None:
    """Print text of several lines on stdout as it is, but for control characters."""
    _write(STDOUT, printable(text, keep="\n\t"))


def say(line: str) -> None:
    """Print a line on stderr."""
    _write(STDERR, f"{printable(line)}\n")


def _say_all(text: str) -> None:
    """Print text of several lines on stderr."""
    for line in text.splitlines():
        say(line)


class _Sayer(logging.Handler):
    """Prints what libraries log: a file's contents may be part of it."""

    def emit(self, record: logging.LogRecord) -> None:
        _say_all(self.format(record))


class Outlet(io.TextIOBase):
    """The stream of that name as rich needs it; what is written to it must be printable."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def _stream(self) -> TextIO:
        """The stream itself: while it draws a bar, rich puts a substitute in its place."""
        stream: TextIO = getattr(sys, self._name)
        return getattr(stream, "rich_proxied_file", stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding, by which rich chooses the characters of a bar."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Write text that is already safe to show."""
        _write(self._name, text, self._stream)
        return len(text)


def _write(name: str, text: str, stream: TextIO | None = None) -> None:
    stream = stream or getattr(sys, name)
    if stream is None or _is_lost(name, stream):
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:  # ValueError: the stream is closed
        _lost[name] = stream, error


def _is_lost(name: str, stream: TextIO) -> bool:
    return name in _lost and _lost[name][0] is stream


def prepare() -> None:
    """Make the streams of this process safe to write to; a command calls this first."""
    for number, name, mode in ((0, "stdin", "r"), (1, STDOUT, "w"), (2, STDERR, "w")):
        _open_if_closed(number)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may not fit the encoding
    sys.excepthook = _show_traceback
    logging.lastResort = _Sayer(logging.WARNING)
    warnings.showwarning = _show_warning


def _open_if_closed(number: int) -> None:
    """Let no file that is opened later get the number of a standard stream."""
    try:
        os.fstat(number)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null == number:
            os.set_inheritable(null, True)
        else:
            os.dup2(null, number)
            os.close(null)


def _show_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    _say_all("".join(traceback.format_exception(kind, error, trace)))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _say_all(warnings.formatwarning(message, category, filename, lineno, line))


def finish(status: int) -> int:
    """Write what is left, and return the exit status: a command whose output is lost has failed.

    A reader that has seen enough, such as `head`, is no failure. Python flushes the streams again
    when it exits, so lost ones are led to where writing succeeds.
    """
    for name in (STDOUT, STDERR):
        _write(name, "")
        stream = getattr(sys, name)
        if stream is None or not _is_lost(name, stream):
            continue
        error = _lost[name][1]
        if name == STDOUT and not isinstance(error, BrokenPipeError):
            reason = getattr(error, "strerror", None) or describe_error(error)
            say(f"forwardbench: cannot write to standard output: {reason}")
            status = USAGE if status == GOOD else status
        with contextlib.suppress(OSError, ValueError):  # a notebook's stream has no number
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
    return status
