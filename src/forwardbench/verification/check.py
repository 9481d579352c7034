"""Compares one result with the correct one: shape, dtype and numbers of every array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from forwardbench.cases import Case
    from forwardbench.workloads import Answer


class WrongResultError(Exception):
    """A result is wrong; the message says what is wrong with it."""


class Accuracy(NamedTuple):
    """The error of a correct result."""

    error: float
    """Largest absolute error."""
    share: float
    """Largest error as a share of its bound, at most 1."""
    typical: float = 0.0
    """Root mean square of the errors as shares of their bounds."""

    def worse(self, other: Accuracy) -> Accuracy:
        """The larger of each number."""
        return Accuracy(*map(max, self, other))


_ENOUGH_NUMBERS = 64
"""The root mean square of fewer shares may be large by chance."""


def check_result(arrays: Sequence[Any], case: Case, answers: Sequence[Answer]) -> Accuracy:
    """Compare the arrays of a result with the answers, in the places that the answers hold.

    Shape, dtype and finiteness are checked everywhere. Raises `WrongResultError`.
    """
    if len(arrays) != len(answers):
        raise WrongResultError(f"{case}: {len(arrays)} arrays instead of {len(answers)}")
    checked = [
        _check_array(array, case, answer) for array, answer in zip(arrays, answers, strict=True)
    ]
    accuracy = checked[0]
    for other in checked[1:]:
        accuracy = accuracy.worse(other)
    return accuracy


def _check_array(array: Any, case: Case, answer: Answer) -> Accuracy:
    of_name = f" of {answer.name}" if answer.name else ""
    if array.shape != answer.shape:
        raise WrongResultError(f"{case}: shape {array.shape}{of_name} instead of {answer.shape}")
    if array.dtype != case.dtype:
        raise WrongResultError(f"{case}: dtype {array.dtype}{of_name} instead of {case.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(index) for index in np.argwhere(~finite)[0])
        raise WrongResultError(f"{_title(case)}: {array[place]} at {list(place)}{of_name}")
    everywhere = answer.expected.shape == array.shape
    values = (array if everywhere else array[np.ix_(*answer.places)]).astype(np.float64)
    error = np.abs(values - answer.expected)
    # Where the bound is 0, any error is infinitely many times the bound.
    share = np.divide(
        error, answer.bound, out=np.where(error == 0, 0.0, np.inf), where=answer.bound != 0
    )
    worst = np.unravel_index(int(np.argmax(share)), share.shape)
    if not share[worst] <= 1:
        place = tuple(
            int(indices[int(at)]) for indices, at in zip(answer.places, worst, strict=True)
        )
        raise WrongResultError(
            f"{_title(case)}: worst at {list(place)}{of_name}: "
            f"{_write_difference(values[worst], answer.expected[worst])}, "
            f"{share[worst]:.0e} times the bound"
        )
    typical = math.sqrt(float(np.mean(np.square(share))))
    if share.size >= _ENOUGH_NUMBERS and typical > answer.typical_share:
        raise WrongResultError(
            f"{_title(case)}: errors{of_name} of {typical:.1g} of their bounds on average, where "
            f"rounding in {case.dtype} causes {answer.typical_share:.1g} at most: it computes less "
            "precisely"
        )
    return Accuracy(float(error.max()), float(share.max()), typical)


def _write_difference(value: float, expected: float) -> str:
    """Write two numbers with just enough digits to show that they differ."""
    for digits in range(3, 17):
        if f"{value:.{digits}g}" != f"{expected:.{digits}g}":
            break
    return f"{value:.{digits}g} instead of {expected:.{digits}g}"


def _title(case: Case) -> str:
    return f"{case} {case.activation} {case.dtype}" + (f" ({case.example})" if case.example else "")
