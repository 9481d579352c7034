"""Predicts how long a call takes, without making calls that take too long.

Cases are called in order of size, and each prediction is based on the smaller cases. A case whose
prediction is above the limit is not called.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from forwardbench import processes, workloads
from forwardbench.cases import Case
from forwardbench.implementations import Implementation, load
from forwardbench.records import Cell
from forwardbench.statistics.fit import Fit, fit_times

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

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Prediction:
        """Rebuild a prediction from JSON, which has lists in place of tuples."""
        seconds, called, fit, calling_seconds, first_seconds = values
        return cls(seconds, called, Fit(*fit) if fit else None, calling_seconds, first_seconds)

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
    """Predict the seconds of a call on each case of one sweep.

    A case whose prediction from smaller ones exceeds ``limit`` seconds is not called.
    """
    work, multiply_adds = implementation.workload.work, implementation.workload.multiply_adds
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
        predictions[case] = _time_call(implementation, case, expected, timer)
        called[case] = predictions[case].seconds
    return {case: predictions[case] for case in cases}


def _time_call(
    implementation: Implementation, case: Case, expected: float, timer: Callable[[], float]
) -> Prediction:
    """Take the shortest of a few calls, since the first one may compile."""
    data, layers = implementation.workload.inputs(case)
    start = time.perf_counter()
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    preparing = time.perf_counter() - start
    shortest, total, first = math.inf, 0.0, math.nan
    gc.disable()  # as pytest-benchmark does while it measures
    try:
        for _ in range(3):
            start = timer()
            implementation.compute(*prepared, ready)
            seconds = timer() - start
            shortest, total = min(shortest, seconds), total + seconds
            first = seconds if math.isnan(first) else first
            if shortest > _SETTLED_SECONDS and shortest < 3 * expected:
                break
    finally:
        gc.enable()
    return Prediction(shortest, True, None, total, preparing + first - shortest)


def main(link: processes.Link) -> None:
    """Answer a child process's task: predict the times of one implementation's cells."""
    cells = [Cell.from_json(values) for values in link.task["cells"]]
    workloads.get(cells[0].workload)  # so that loading does not include the workload
    start = time.perf_counter()
    implementation = load(link.task["reference"], cells[0].workload)
    loading = time.perf_counter() - start
    estimates = {}
    for family in _families(cells):
        predictions = predict(implementation, [cell.case for cell in family], link.task["limit"])
        estimates.update({str(cell): predictions[cell.case] for cell in family})
        link.progress(str(family[0]))
    link.answer({"cells": estimates, "loading_seconds": loading})


def _families(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells whose times follow one curve; a worked example or single shape is a group."""
    families: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        single_case = "" if workloads.get(cell.workload).axis(cell.sweep) else str(cell.case)
        key = (cell.sweep, cell.case.dtype, single_case, cell.case.example)
        families.setdefault(key, []).append(cell)
    return list(families.values())
