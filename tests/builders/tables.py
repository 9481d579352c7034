"""Tables made in memory, for tests that need many of them or a status that no run has."""

import numpy as np
import pandas as pd

from forwardbench.analysis.table import summarize
from forwardbench.cases import parse_case
from forwardbench.results import CELL_KEY, SAMPLE_COLUMNS, Circumstances, Origin, Results
from forwardbench.results.model import FIRST_CALL_COLUMNS

ONE_SETTING = (("float64", 1),)
TOO_LONG = ("skipped", "predicted 9 s a call, over the limit of 1 s")


def square(size):
    """A case of the sweep `square`."""
    return f"{size}x{size}-{size}"


def passes(row, factors=(1.0, 1.02, 0.99)):
    """Three passes of each time: size, then seconds, or what is there in place of one."""
    return {
        square(size): [each * factor for factor in factors] if isinstance(each, float) else each
        for size, each in row.items()
    }


BASE = {1: 1e-6, 4: 4e-6, 16: 2e-4, 64: 8e-3, 256: 0.5}
FAST = {1: 4e-6, 4: 4.5e-6, 16: 5e-6, 64: 2e-5, 256: 1e-3}
SLOW = {1: 5e-6, 4: 2e-5, 16: 1e-3, 64: 4e-2}
"""Seconds by size: of loops, of what is slower than they are on tiny matrices only, and always."""
MEASURED_LADDER = {
    "python_loops": passes(BASE),
    "python_loops (control)": passes(BASE, (1.01, 1.02, 0.98)),
    "matmul": passes(FAST, (1.0, 1.01, 1.01)),
    "ndarray_loops": passes(SLOW),
}
LADDER = {
    **MEASURED_LADDER,
    "python_loops": passes({**BASE, 1024: (*TOO_LONG, 32.0, 28.0, 36.0)}),
    "matmul": passes({**FAST, 1024: 0.04}, (1.0, 1.01, 1.01)),
    "ndarray_loops": passes({**SLOW, 256: TOO_LONG}),
}
"""Measured, estimated and skipped cells side by side, and a control."""


def make(times, **options):
    """Make the table of times, from what `make_results` takes."""
    return summarize(make_results(times, **options))


def make_results(
    times,
    *,
    sweep="square",
    baseline="python_loops",
    settings=ONE_SETTING,
    ceilings=(),
    activation="sigmoid",
    machine="Made-up CPU, 2 CPUs",
    first_calls=(),
):
    """Make results of times: label, then case, then seconds of each pass.

    In place of seconds there may be a status, its reason and an estimate with its interval.
    ``first_calls`` has seconds of first calls for each label and case, or the reason of a failure.
    """
    samples, cells, firsts = [], [], []
    for dtype, threads in settings:
        for name, row in times.items():
            own = name.removesuffix(" (control)")
            for case, seconds in row.items():
                values = (name, sweep, case, activation, dtype, threads)
                key = dict(zip(CELL_KEY, values, strict=True))
                status, reason, *guess = ("measured", "") if isinstance(seconds, list) else seconds
                guessed = ["predicted", "predicted_low", "predicted_high"]
                low_to_high = dict(zip(guessed, guess or [np.nan] * 3, strict=True))
                problem = parse_case(case)
                cells.append(
                    {
                        **key, "batch": problem.batch, "status": status, "reason": reason,
                        "widths": "-".join(map(str, problem.widths)), **low_to_high,
                        "control_of": own if own != name else "",
                    }
                )  # fmt: skip
                samples += [
                    {**key, "pass": number, "seconds": each, "error": 1e-16, "low": np.nan,
                     "high": np.nan}
                    for number, each in enumerate(seconds if status == "measured" else [], 1)
                ]  # fmt: skip
                firsts += _first_calls(key, dict(first_calls).get((name, case), []))
    return Results(
        pd.DataFrame(samples, columns=SAMPLE_COLUMNS), pd.DataFrame(cells), baseline, machine,
        "0123456789", dict(ceilings), 0.95, Circumstances(), Origin("forwardbench", "", "1"),
        pd.DataFrame(firsts, columns=FIRST_CALL_COLUMNS),
    )  # fmt: skip


def _first_calls(key, seconds):
    """Rows of the first calls of one cell."""
    if isinstance(seconds, str):
        return [{**key, "reason": seconds}]
    return [{**key, "import_seconds": 0.5, "seconds": each, "reason": ""} for each in seconds]


def from_ratios(ratios, *, base=1e-3, name="matmul", other="python_loops", **options):
    """Make a table in which ``name`` is so many times as fast as ``other``: size, then passes."""
    times = {
        other: {square(size): [base] * len(row) for size, row in ratios.items()},
        name: {square(size): [base / ratio for ratio in row] for size, row in ratios.items()},
    }
    return make(times, **options)
