"""Compares one result with what is known to be right: every array's form, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from forwardbench.cases import Case
    from forwardbench.workloads import Answer


class WrongResultError(Exception):
    """A result that is not right; the message says what is wrong with it."""


class Accuracy(NamedTuple):
    """How far a right result is off."""

    error: float
    """Largest absolute error."""
    share: float
    """Largest error as a share of its bound, at most 1."""


def check_result(arrays: Sequence[Any], case: Case, answers: Sequence[Answer]) -> Accuracy:
    """Compare the arrays of a result with the answers, in the places that these know.

    Shape, dtype and finiteness are checked everywhere. Raises `WrongResultError`.
    """
    if len(arrays) != len(answers):
        raise WrongResultError(f"{case}: {len(arrays)} arrays instead of {len(answers)}")
    checked = [
        _check_array(array, case, answer) for array, answer in zip(arrays, answers, strict=True)
    ]
    return Accuracy(max(each.error for each in checked), max(each.share for each in checked))


def _check_array(array: Any, case: Case, answer: Answer) -> Accuracy:
    whose = f" of {answer.name}" if answer.name else ""
    if array.shape != answer.shape:
        raise WrongResultError(f"{case}: shape {array.shape}{whose} instead of {answer.shape}")
    if array.dtype != case.dtype:
        raise WrongResultError(f"{case}: dtype {array.dtype}{whose} instead of {case.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(index) for index in np.argwhere(~finite)[0])
        raise WrongResultError(f"{_title(case)}: {array[place]} at {list(place)}{whose}")
    found = array[np.ix_(*answer.places)].astype(np.float64)
    error = np.abs(found - answer.expected)
    # Where nothing may be off, anything that is off is so by infinitely many bounds.
    share = np.divide(
        error, answer.bound, out=np.where(error == 0, 0.0, np.inf), where=answer.bound != 0
    )
    worst = np.unravel_index(int(np.argmax(share)), share.shape)
    if not share[worst] <= 1:
        place = tuple(
            int(indices[int(at)]) for indices, at in zip(answer.places, worst, strict=True)
        )
        raise WrongResultError(
            f"{_title(case)}: worst at {list(place)}{whose}: "
            f"{_told_apart(found[worst], answer.expected[worst])}, "
            f"{share[worst]:.0e} times the bound"
        )
    return Accuracy(float(error.max()), float(share.max()))


def _told_apart(found: float, expected: float) -> str:
    """Print two numbers with just enough digits to show that they differ."""
    for digits in range(3, 17):
        if f"{found:.{digits}g}" != f"{expected:.{digits}g}":
            break
    return f"{found:.{digits}g} instead of {expected:.{digits}g}"


def _title(case: Case) -> str:
    return f"{case} {case.activation} {case.dtype}" + (f" ({case.example})" if case.example else "")
