"""Results made in memory, for tests that need many of them or a status that no run has."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.cases import parse_case
from forwardbench.outputs.bundle import Bundle
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.results import CELL_KEY, HOST, SAMPLE_COLUMNS, Circumstances, Origin, Results
from forwardbench.results.model import FIRST_CALL_COLUMNS

Times = Mapping[str, Mapping[str, Any]]
"""Label, then case, then seconds of each pass, or a status, its reason and an estimate."""

ONE_SETTING = (("float64", 1),)
TOO_LONG = ("skipped", "predicted 9 s a call, over the limit of 1 s")


def square(size: int) -> str:
    """A case of the sweep `square`."""
    return f"{size}x{size}-{size}"


def passes(row: Mapping[int, Any], factors: Iterable[float] = (1.0, 1.02, 0.99)) -> dict[str, Any]:
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


def make(times: Times, **options: Any) -> Bundle:
    """Make results of times, and all that is made of them, from what `make_results` takes."""
    return Bundle(make_results(times, **options))


def with_table(bundle: Bundle, **columns: Any) -> Bundle:
    """The same with other columns in its table, as no results have them."""
    changed = Bundle(bundle.results, bundle.baseline)
    changed.table = bundle.table.assign(**columns)
    changed.evidence = bundle.evidence
    return changed


def joined(first: Results, *others: Results) -> Results:
    """The cells and times of several as one, which is the first one in all else."""
    several = [first, *others]
    return replace(
        first,
        samples=pd.concat([each.samples for each in several], ignore_index=True),
        cells=pd.concat([each.cells for each in several], ignore_index=True),
    )


def make_results(
    times: Times,
    *,
    sweep: str = "square",
    baseline: str = "python_loops",
    settings: Iterable[tuple[str, int]] = ONE_SETTING,
    ceilings: Any = (),
    activation: str = "sigmoid",
    machine: str = "Made-up CPU, 2 CPUs",
    commit: str = "0123456789",
    workload: str = DEFAULT_WORKLOAD,
    host: str = "",
    first_calls: Any = (),
) -> Results:
    """Make results of times: label, then case, then seconds of each pass.

    In place of seconds there may be a status, its reason and an estimate with its interval.
    ``first_calls`` has seconds of first calls for each label and case, or the reason of a failure.
    """
    samples, cells, firsts = [], [], []
    for dtype, threads in settings:
        for name, row in times.items():
            for case, given in row.items():
                values = (name, sweep, case, activation, dtype, threads, workload)
                key = dict(zip(CELL_KEY, values, strict=True))
                seconds = given if isinstance(given, list) else []
                cells.append({**key, HOST: host, **_cell(name, case, given)})
                samples += [
                    {**key, "pass": number, "seconds": each, "error": 1e-16, "low": np.nan,
                     "high": np.nan, HOST: host}
                    for number, each in enumerate(seconds, 1)
                ]  # fmt: skip
                firsts += _first_calls(key, dict(first_calls).get((name, case), []))
    return Results(
        pd.DataFrame(samples, columns=SAMPLE_COLUMNS), pd.DataFrame(cells), baseline, machine,
        commit, dict(ceilings), 0.95, Circumstances(), Origin("forwardbench", "", "1"),
        pd.DataFrame(firsts, columns=FIRST_CALL_COLUMNS), host=host,
    )  # fmt: skip


def _cell(name: str, case: str, given: Any) -> dict[str, Any]:
    """What a cell's row says beside its key."""
    own = name.removesuffix(" (control)")
    status, reason, *guess = ("measured", "") if isinstance(given, list) else given
    guessed = ["predicted", "predicted_low", "predicted_high"]
    problem = parse_case(case)
    return {
        "batch": problem.batch, "status": status, "reason": reason,
        "widths": "-".join(map(str, problem.widths)),
        **dict(zip(guessed, guess or [np.nan] * 3, strict=True)),
        "control_of": own if own != name else "",
    }  # fmt: skip


def _first_calls(key: Mapping[str, Any], seconds: Any) -> list[dict[str, Any]]:
    """Rows of the first calls of one cell."""
    if isinstance(seconds, str):
        return [{**key, "reason": seconds}]
    return [{**key, "import_seconds": 0.5, "seconds": each, "reason": ""} for each in seconds]


def from_ratios(
    ratios: Mapping[int, list[float]],
    *,
    base: float = 1e-3,
    name: str = "matmul",
    other: str = "python_loops",
    **options: Any,
) -> Bundle:
    """Make results in which ``name`` is so many times as fast as ``other``: size, then passes."""
    times = {
        other: {square(size): [base] * len(row) for size, row in ratios.items()},
        name: {square(size): [base / ratio for ratio in row] for size, row in ratios.items()},
    }
    return make(times, **options)
