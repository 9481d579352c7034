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
_MOST_OBJECTS = 200_000
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
    """Whether the numbers of an array are among those that were found before it was read.

    They may lie in several places, such as one for each row, and in any order.
    """
    if numbers is None or result.dtype == object:
        return True
    found = [part for candidate in numbers for part in _as_numbers(candidate, result.dtype)]
    if not sum(part.size for part in found):
        return result.size == 0
    there, counts_there = np.unique(np.concatenate(found), return_counts=True)
    wanted, counts = np.unique(result, return_counts=True)
    places = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    same = (there[places] == wanted) | (np.isnan(there[places]) & np.isnan(wanted))
    return bool((same & (counts_there[places] >= counts)).all())


def _as_numbers(candidate: Array, dtype: np.dtype[Any]) -> Iterator[Array]:
    """The numbers of an array in a dtype; those of a buffer of bytes also as what they may mean."""
    if candidate.dtype.kind in "biuf":
        with np.errstate(all="ignore"):
            yield candidate.reshape(-1).astype(dtype)
    is_bytes = candidate.dtype.itemsize == 1 or candidate.dtype.kind == "V"
    if is_bytes and candidate.nbytes % dtype.itemsize == 0:
        yield np.frombuffer(candidate.tobytes(), dtype)


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
