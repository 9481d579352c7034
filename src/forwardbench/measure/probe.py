"""Predicts how long a call takes, without making calls that take too long.

Cases are called in order of size, and each prediction is based on the smaller cases. A case whose
prediction is above the limit is not called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from forwardbench import workloads
from forwardbench.cases import Case
from forwardbench.implementations import Implementation
from forwardbench.records import Cell
from forwardbench.statistics.fit import Fit, fit_times
from forwardbench.verification.contender import Contender
from forwardbench.verification.upbringing import in_this_process

_SETTLED_SECONDS = 0.02
"""A call of at least this length is timed once; of shorter calls the fastest of three counts."""


class Prediction(NamedTuple):
    """The seconds that a call takes, measured or predicted."""

    seconds: float
    called: bool
    """True if the case was called; False if it is predicted from smaller cases."""
    fit: Fit | None
    """The fit behind a prediction; None if the case was called."""
    calling_seconds: float = 0.0
    """Total time of its calls."""
    first_seconds: float = 0.0
    """Time of preparing it and its first call, minus a later call: compiling, for example."""

    def worth_measuring(self, limit: float) -> bool:
        """Whether to measure the case: only if it was called and takes at most twice the limit.

        The limit is for predictions. A measured time may exceed it, up to this factor.
        """
        return self.called and self.seconds <= 2 * limit


def predict(
    implementation: Implementation,
    cases: Sequence[Case],
    limit: float,
    timer: Callable[[], float] = time.perf_counter,
) -> dict[Case, Prediction]:
    """Predict the seconds of a call on each case of one sweep, in this process."""
    return predict_for(in_this_process(implementation, timer), cases, limit)


def predict_for(
    contender: Contender, cases: Sequence[Case], limit: float
) -> dict[Case, Prediction]:
    """Predict the seconds of a call on each case of one sweep.

    A case whose prediction from smaller ones exceeds ``limit`` seconds is not called.
    """
    work, multiply_adds = contender.workload.work, contender.workload.multiply_adds
    largest, smallest = (pick(cases, key=multiply_adds) for pick in (max, min))
    least = multiply_adds(smallest)
    ladder = {case for case in largest.smaller() if multiply_adds(case) < least}
    called: dict[Case, float] = {}
    predictions: dict[Case, Prediction] = {}
    for case in sorted({*cases, *ladder}, key=multiply_adds):
        fit = fit_times([work(smaller) for smaller in called], list(called.values()))
        expected = fit.seconds(work(case)) if fit else 0.0
        if fit and expected > limit:
            predictions[case] = Prediction(expected, False, fit)
            continue
        predictions[case] = _time_call(contender, case, expected)
        called[case] = predictions[case].seconds
    return {case: predictions[case] for case in cases}


def _time_call(contender: Contender, case: Case, expected: float) -> Prediction:
    """Take the shortest of a few calls, since the first one may compile."""
    arrays, layers = contender.workload.inputs(case)
    network, layers_seconds = contender.layers(layers)
    data, data_seconds = contender.data(arrays)
    seconds: list[float] = []
    for _ in range(3):
        seconds += contender.run(network, [data], keep=False).seconds
        shortest = min(seconds)
        if shortest > _SETTLED_SECONDS and shortest < 3 * expected:
            break
    contender.forget(network, data)
    first_seconds = layers_seconds + data_seconds + seconds[0] - shortest
    return Prediction(shortest, True, None, sum(seconds), first_seconds)


def predict_cells(
    contender: Contender, cells: Sequence[Cell], limit: float
) -> dict[Cell, Prediction]:
    """Predict the times of one contender's cells with one number of threads."""
    predictions = {}
    for family in _families(cells):
        of_family = predict_for(contender, [cell.case for cell in family], limit)
        predictions.update({cell: of_family[cell.case] for cell in family})
    return predictions


def _families(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells whose times follow one curve; a worked example or single shape is a group."""
    families: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        single_case = "" if workloads.get(cell.workload).axis(cell.sweep) else str(cell.case)
        key = (cell.sweep, cell.case.dtype, single_case, cell.case.example)
        families.setdefault(key, []).append(cell)
    return list(families.values())
