"""How long a call will take, found out without making the calls that take too long.

Cases are called in order of size, and every prediction comes from the smaller ones: a
case predicted above the limit is never called, and neither is anything larger.
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
"""A call this long is timed once; shorter ones three times, of which the fastest counts."""


class Prediction(NamedTuple):
    """How long a call takes, in seconds, and how that is known."""

    seconds: float
    called: bool
    """Whether the case was called, or is predicted from smaller ones."""
    fit: Fit | None
    """What a prediction comes from."""
    spent: float = 0.0
    """Seconds that its calls took."""
    first: float = 0.0
    """Seconds that preparing it and its first call took beyond a later call: compiling, say."""

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Prediction:
        """Rebuild a prediction after a trip through JSON, which makes lists of tuples."""
        seconds, called, fit, spent, first = values
        return cls(seconds, called, Fit(*fit) if fit else None, spent, first)

    def worth_measuring(self, limit: float) -> bool:
        """Whether to measure the case: a call that was made may exceed the limit a little.

        The limit is on predictions; a time that was seen is not thrown away for 5 percent.
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
        fit = fit_times([work(each) for each in called], list(called.values()))
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
    """Take the shortest of a few calls: the first may compile, say."""
    data, layers = implementation.workload.inputs(case)
    start = time.perf_counter()
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    preparing = time.perf_counter() - start
    shortest, spent, first = math.inf, 0.0, math.nan
    gc.disable()  # as pytest-benchmark does while it measures
    try:
        for _ in range(3):
            start = timer()
            implementation.compute(*prepared, ready)
            took = timer() - start
            shortest, spent = min(shortest, took), spent + took
            first = took if math.isnan(first) else first
            if shortest > _SETTLED_SECONDS and shortest < 3 * expected:
                break
    finally:
        gc.enable()
    return Prediction(shortest, True, None, spent, preparing + first - shortest)


def main(link: processes.Link) -> None:
    """Answer a child process's task: predict one implementation's cells, sweep by sweep."""
    cells = [Cell.from_json(values) for values in link.task["cells"]]
    workloads.get(cells[0].workload)  # reading the workload is no part of loading
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
    """Group cells whose times follow one curve; worked examples and odd shapes stand alone."""
    families: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        alone = "" if workloads.get(cell.workload).axis(cell.sweep) else str(cell.case)
        families.setdefault((cell.sweep, cell.case.dtype, alone, cell.case.example), []).append(
            cell
        )
    return list(families.values())
