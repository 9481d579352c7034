"""Whether a result is there before it is read: what it holds must be the numbers of its arrays.

A result may be any object that ``to_numpy`` or NumPy turns into an array. If the numbers are not in
it yet, turning it into an array computes them, after the clock has stopped.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from forwardbench.implementations import requirements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

_FRAMEWORKS = {
    module for modules in requirements.EXTRAS.values() for module in modules
} - {"dask"}  # fmt: skip
"""Packages whose arrays hold numbers. Dask's do not: they are lazy by design."""
_PLAIN = {float, int, np.float32, np.float64}
_LEFT_ALONE = (str, type, FunctionType, MethodType, ModuleType)
"""Objects that hold no result themselves, but refer to very much."""
_MOST_OBJECTS = 1000
"""At most so many objects within a result are looked at."""


def is_plain(part: Any) -> bool:
    """Whether a result is NumPy's own array, or a list of lists of plain numbers."""
    if type(part) is np.ndarray:
        return bool(part.dtype != object)
    if type(part) is not list or not all(type(row) is list for row in part):
        return False
    return set(map(type, chain.from_iterable(part))) <= _PLAIN


def numbers_within(part: Any) -> list[Array] | None:
    """Copies of all arrays that are in a result, as it is now; None if they cannot be read.

    An array on a GPU cannot be read without its own conversion.
    """
    if is_of_framework(part):
        try:
            return [np.array(part)]
        except (TypeError, RuntimeError, ValueError):
            return None
    return [np.array(found) for found in _arrays_within(part)]


def holds(numbers: Sequence[Array] | None, result: Array) -> bool:
    """Whether the numbers of an array are in one of those that were found before it was read."""
    if numbers is None or result.dtype == object:
        return True
    wanted = np.sort(result, axis=None)
    alike = (
        np.sort(candidate.astype(result.dtype), axis=None)
        for candidate in numbers
        if candidate.size == result.size
    )
    return any(np.array_equal(candidate, wanted, equal_nan=True) for candidate in alike)


def is_of_framework(part: Any) -> bool:
    """Whether an object's class belongs to a framework that the suite knows."""
    return type(part).__module__.partition(".")[0] in _FRAMEWORKS


def _arrays_within(part: Any) -> Iterator[Any]:
    """Everything that holds numbers in an object and in what it refers to, nearest first."""
    waiting, seen = deque([part]), {id(part)}
    while waiting and len(seen) < _MOST_OBJECTS:
        item = waiting.popleft()
        if isinstance(item, np.ndarray):
            yield item.view(np.ndarray)
        elif is_of_framework(item) or _is_table(item):
            with suppress(TypeError, RuntimeError, ValueError):
                yield np.asarray(item)
        elif not isinstance(item, _LEFT_ALONE):
            with suppress(TypeError):
                yield np.asarray(memoryview(item))  # of any buffer
            for inner in gc.get_referents(item):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    waiting.append(inner)


def _is_table(item: Any) -> bool:
    """Whether an object is a sequence of plain numbers, or of such sequences."""
    if type(item) not in (list, tuple):
        return False
    inner = chain.from_iterable(item) if all(type(row) in (list, tuple) for row in item) else item
    return set(map(type, inner)) <= _PLAIN
