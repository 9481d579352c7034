"""Arrays that begin at a cache line.

Where an array begins within a line of 64 bytes depends on all that a process has allocated before.
It can make a product of a vector and a matrix half as fast again, so it is fixed for all inputs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

LINE_BYTES = 64
"""Bytes of a cache line, and of the widest vectors that CPUs compute with."""


def empty_at_line(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An uninitialized array of this shape that begins at a cache line."""
    import numpy as np

    size = math.prod(shape) * np.dtype(dtype).itemsize
    whole = np.empty(size + LINE_BYTES, np.uint8)
    first = -whole.ctypes.data % LINE_BYTES
    return whole[first : first + size].view(dtype).reshape(shape)


def at_line(array: NDArray[np.generic]) -> NDArray[Any]:
    """The array itself if it begins at a cache line, else a copy that does."""
    return array if array.ctypes.data % LINE_BYTES == 0 else copy_at_line(array)


def copy_at_line(array: NDArray[np.generic]) -> NDArray[Any]:
    """A copy of an array that begins at a cache line."""
    copy = empty_at_line(array.shape, array.dtype)
    copy[...] = array
    return copy
