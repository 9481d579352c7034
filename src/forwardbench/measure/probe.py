"""How long a call will take, found out without making the calls that take too long.

Cases are called in order of size, and every prediction comes from the smaller ones: a
case predicted above the limit is never called, and neither is anything larger.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from forwardbench import isolation
from forwardbench.cases import SWEEPS, Case, make_inputs
from forwardbench.implementations import Implementation, load
from forwardbench.measure.cells import Cell
from forwardbench.measure.fit import Estimate, fit_times

_SETTLED_SECONDS = 0.02
"""A call this long is timed once; shorter ones three times, of which the fastest counts."""


def predict(
    implementation: Implementation,
    cases: Sequence[Case],
    limit: float,
    timer: Callable[[], float] = time.perf_counter,
) -> dict[Case, Estimate]:
    """Predict the seconds of a call on each case of one sweep.

    Where a case was called, low and high are equal to its seconds; where it was not,
    the prediction exceeds ``limit`` seconds.
    """
    largest, smallest = (pick(cases, key=_work) for pick in (max, min))
    ladder = {case for case in largest.smaller() if _work(case) < _work(smallest)}
    called: dict[Case, float] = {}
    predictions: dict[Case, Estimate] = {}
    for case in sorted({*cases, *ladder}, key=_work):
        fit = fit_times(list(called), list(called.values()))
        expected = fit.seconds(case) if fit else 0.0
        if fit and expected > limit:
            predictions[case] = fit.estimate(case)
            continue
        seconds = _time_call(implementation, case, expected, timer)
        called[case] = seconds
        predictions[case] = Estimate(seconds, seconds, seconds)
    return {case: predictions[case] for case in cases}


def _work(case: Case) -> int:
    return case.multiply_adds


def _time_call(
    implementation: Implementation, case: Case, expected: float, timer: Callable[[], float]
) -> float:
    """Shortest seconds of a few calls: the first may compile, and any may be interrupted."""
    x, layers = make_inputs(case)
    prepared, ready = implementation.prepare_input(x), implementation.prepare_layers(layers)
    shortest = math.inf
    for _ in range(3):
        start = timer()
        implementation.forward(prepared, ready)
        shortest = min(shortest, timer() - start)
        if shortest > _SETTLED_SECONDS and shortest < 3 * expected:
            break
    return shortest


def main(link: isolation.Link) -> None:
    """Answer a child process's task: predict one implementation's cells, sweep by sweep."""
    implementation = load(link.task["reference"])
    cells = [Cell.from_json(values) for values in link.task["cells"]]
    estimates = {}
    for family in _families(cells):
        predictions = predict(implementation, [cell.case for cell in family], link.task["limit"])
        estimates.update({str(cell): predictions[cell.case] for cell in family})
        link.progress(str(family[0]))
    link.answer(estimates)


def _families(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Group cells whose times follow one curve; worked examples and odd shapes stand alone."""
    families: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        alone = "" if cell.sweep in SWEEPS and SWEEPS[cell.sweep].axis else str(cell.case)
        families.setdefault((cell.sweep, cell.case.dtype, alone, cell.case.example), []).append(
            cell
        )
    return list(families.values())
