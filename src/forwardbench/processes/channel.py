"""Messages between two processes: a line of JSON and the bytes of some arrays, nothing else.

What arrives is only ever parsed, never executed: JSON, and numbers of a few known types. So
neither side can make the other run code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from multiprocessing import BufferTooShort
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from forwardbench.errors import one_line
from forwardbench.memory import empty_at_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

NUMBERS = frozenset(
    f"{kind}{bits}" for kind, widths in {
        "float": (16, 32, 64), "int": (8, 16, 32, 64), "uint": (8, 16, 32, 64),
    }.items() for bits in widths
) | {"bool"}  # fmt: skip
"""The types of arrays that are sent. Of any other array only its shape and type are."""
MOST_BYTES = 2**34
"""A longer message is refused."""
_PIECE = 2**28
"""A long message is sent in pieces of so many bytes."""


class BadMessageError(ValueError):
    """A message that is not what this module writes."""


class Unsent(NamedTuple):
    """Stands for an array whose numbers could not be sent."""

    shape: tuple[int, ...]
    dtype: str


class Message(NamedTuple):
    """A message: plain values, and arrays."""

    values: dict[str, Any]
    arrays: list[Any]


def send(connection: Connection, values: dict[str, Any], arrays: Sequence[Any] = ()) -> None:
    """Send plain values and arrays."""
    import numpy as np

    described = [[str(array.dtype), list(array.shape)] for array in arrays]
    connection.send_bytes(json.dumps({"values": values, "arrays": described}).encode())
    for array in arrays:
        if str(array.dtype) in NUMBERS and array.size:
            whole = np.ascontiguousarray(array).reshape(-1).data.cast("B")
            for start in range(0, len(whole), _PIECE):
                connection.send_bytes(whole[start : start + _PIECE])


def receive(connection: Connection) -> Message:
    """Wait for a message; raises `EOFError`, `OSError` or `BadMessageError`."""
    try:
        header = json.loads(connection.recv_bytes(_PIECE))
        arrays = [_receive_array(connection, *described) for described in header["arrays"]]
        return Message(dict(header["values"]), arrays)
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError, BufferTooShort) as error:
        raise BadMessageError(str(error)) from None


def _receive_array(connection: Connection, dtype: str, lengths: list[int]) -> Array | Unsent:
    import numpy as np

    shape = tuple(int(length) for length in lengths)
    if dtype not in NUMBERS:
        return Unsent(shape, one_line(dtype))
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if min(shape, default=0) < 0 or size > MOST_BYTES:
        raise ValueError("an array of impossible size")
    array = empty_at_line(shape, dtype)
    if size:
        flat = array.reshape(-1).data.cast("B")
        for start in range(0, size, _PIECE):
            piece = flat[start : start + _PIECE]
            if connection.recv_bytes_into(piece) != len(piece):
                raise ValueError("an array with bytes missing")
    return array
