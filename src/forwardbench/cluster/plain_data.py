"""Keeps what comes from a Dask cluster plain data: nothing that arrives runs code in this process.

Dask writes results, exceptions and parts of its messages as pickles, and whoever writes a pickle
decides which functions are called when it is read. A client can choose `DESERIALIZERS` for results,
but Dask reads the parts that it marks as pickled, the exceptions of tasks, and its stream of
reports, with pickle whatever the client chose. So the lock is put where all of these end: a pickle
can call nothing unless it first looks up a class or a function by name, Python announces each such
look-up to its audit hooks, and the hook here refuses it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from forwardbench.errors import one_line

DESERIALIZERS = ("msgpack", "error")
"""What Dask may use to read a result: numbers, texts and bytes, and the text of an error."""

_HARMLESS = frozenset({("builtins", "bytes")})
"""Names that a pickle may look up. Dask writes the bytes of an exception with the name of their
type; if that were refused, a client would hear nothing more after the first task that fails."""

_is_installed = False
_refuses = False
_this_thread = threading.local()


class RefusedPickleError(TypeError):
    """A pickle would have called something. It is a `TypeError` because Dask expects one here."""


def refuse_pickles() -> None:
    """From now on, refuse in this process every pickle that names a class or a function.

    This holds for all threads, and until the process ends: some thread may still be reading after
    a connection is closed. An audit hook cannot be removed, so it is installed once.
    """
    global _is_installed, _refuses
    if not _is_installed:
        sys.addaudithook(_refuse)
        _is_installed = True
    _refuses = True


@contextmanager
def reading_own_pickles() -> Iterator[None]:
    """Let this thread read pickles again, where it reads only what it has written itself.

    Dask does so when it makes up a name for a task. What comes from the network is read by the
    threads of Dask's event loop, never by the thread that calls it, and those still refuse.
    """
    _this_thread.reads_own = True
    try:
        yield
    finally:
        _this_thread.reads_own = False


def _refuse(event: str, details: tuple[Any, ...]) -> None:
    if event != "pickle.find_class" or not _refuses or details in _HARMLESS:
        return
    if not getattr(_this_thread, "reads_own", False):
        name = one_line(".".join(map(str, details)))
        raise RefusedPickleError(f"sent a pickle that names {name}, which is refused")


def read_json(data: object, most_bytes: int) -> Any:
    """Read JSON that a worker sent as bytes; raises `ValueError`, with what it did as message."""
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"sent a {type(data).__name__} instead of bytes")
    if len(data) > most_bytes:
        raise ValueError(f"sent {len(data):,} bytes where at most {most_bytes:,} are expected")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("sent what is not JSON") from None
