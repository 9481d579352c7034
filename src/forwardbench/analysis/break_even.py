"""After how many calls has a first call that compiles paid for itself? Pure functions.

After N calls an implementation that compiles has taken ``first + (N - 1) * call`` seconds, and the
one that it is compared with ``N * reference``. The two totals are equal at
N = (first - call) / (reference - call). The denominator of this ratio may be 0: where calls are
not shown to be faster, no number of calls is shown to pay, and the interval has no upper end
(Fieller 1954, Journal of the Royal Statistical Society B 16, 175-185). As Fieller does,
`calls_to_pay` tests for each N whether the two totals differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.rows import is_control, is_credible
from forwardbench.results import CELL_KEY, HOST, Results
from forwardbench.statistics.intervals import LEVEL, Interval, log_interval, mean_interval

AGAINST = "matmul"
"""The reference: it computes the same without compiling anything."""
COLUMNS = [
    *CELL_KEY[:-1], "first_calls", "import_seconds", "first", "first_low", "first_high",
    "seconds", "seconds_low", "seconds_high",
    "against", "against_seconds", "against_low", "against_high",
    "calls", "calls_low", "calls_high", "verdict", "reason", "passes", "machine", "commit",
    HOST, "workload",
]  # fmt: skip
"""The columns of `break-even.csv`, in its order; `docs/method.md` says what each is."""
PAYS, NEVER, NOT_SHOWN = "pays", "never pays", "not shown to pay"
MOST = 1e15
"""The search ends here: so many calls of a microsecond each take thirty years."""
UNKNOWN = Interval(math.nan, math.nan, math.nan)

_PLACE = CELL_KEY[1:]
_TIMES = ["seconds", "seconds_low", "seconds_high", "pass_seconds"]


def break_evens(results: Results, table: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Make one row for each cell whose first call was timed, with the columns of `COLUMNS`.

    ``table`` is what `forwardbench.analysis.table.summarize` makes of the same results. With
    several machines, each is compared with itself only.
    """
    if results.parts:
        tables = [table[table[HOST] == part.host] for part in results.parts]
        frames = [
            break_evens(part, part_table, evidence)
            for part, part_table in zip(results.parts, tables, strict=True)
        ]
        return pd.concat(frames, ignore_index=True)
    cells = table.assign(pass_seconds=evidence.passes.loc[table.index])
    cells = cells.assign(floor=evidence.floors.loc[table.index], credible=is_credible(table))
    cells = cells[~is_control(table)]
    references = cells[(cells["implementation"] == AGAINST) & cells["credible"]]
    references = references[[*_PLACE, *_TIMES]]
    references = references.rename(columns={name: f"{name}_reference" for name in _TIMES})
    pairs = cells[cells["implementation"] != AGAINST].merge(references, on=_PLACE, how="left")
    first_calls = dict(iter(results.first_calls.groupby(CELL_KEY, sort=False)))
    rows = [
        _row({str(name): value for name, value in cell.items()}, first_calls[key], results.level)
        for cell in pairs.to_dict("records")
        if (key := tuple(cell[name] for name in CELL_KEY)) in first_calls
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(cell: dict[str, Any], first_calls: pd.DataFrame, level: float) -> dict[str, Any]:
    """One row; ``cell`` is a row of the table together with the reference's times."""
    times = first_calls["seconds"].dropna().astype(float).tolist()
    first = log_interval(times, level) if times else UNKNOWN
    reason = "".join(first_calls["reason"]) or _missing_time(cell)
    crossing, verdict = (UNKNOWN, "") if reason else _judge(times, cell, level)
    return {
        **{name: cell[name] for name in COLUMNS if name in cell},
        **_named("first", first),
        **_named("calls", crossing),
        "first_calls": len(times),
        "import_seconds": first_calls["import_seconds"].astype(float).median(),
        "against": AGAINST,
        "against_seconds": cell["seconds_reference"],
        "against_low": cell["seconds_low_reference"],
        "against_high": cell["seconds_high_reference"],
        "verdict": verdict,
        "reason": reason,
    }


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.centre, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _missing_time(cell: dict[str, Any]) -> str:
    """Say which time is missing for a break-even; empty if none is."""
    if not cell["credible"]:
        status = "" if cell["status"] == "measured" else f"{cell['status']}: "
        return f"{status}{cell['reason']}"
    if math.isnan(cell["seconds_reference"]):
        return f"{AGAINST} has no time here to compare with"
    if not np.isfinite(_pairs(cell)).any():
        return f"no pass timed both it and {AGAINST}"
    return ""


def _pairs(cell: dict[str, Any]) -> NDArray[np.float64]:
    """Seconds per call of the cell and of the reference, shape (2, passes that timed both)."""
    pairs = np.array([cell["pass_seconds"], cell["pass_seconds_reference"]], float)
    return pairs[:, np.isfinite(pairs).all(axis=0)]


def _judge(times: list[float], cell: dict[str, Any], level: float) -> tuple[Interval, str]:
    """After how many calls a first call has paid, and whether that is shown.

    Nothing is shown where calls are faster by no more than the noise floor.
    """
    call_seconds, reference_seconds = _pairs(cell)
    crossing = calls_to_pay(times, call_seconds, reference_seconds, level)
    speedups = (reference_seconds / call_seconds).tolist()
    ratio = abs(math.log(log_interval(speedups, level).centre))
    if ratio <= math.log(cell["floor"]):
        low = crossing.low if math.isfinite(crossing.low) else math.nan
        return Interval(crossing.centre, low, math.inf), NOT_SHOWN
    if crossing.low == math.inf:
        return crossing, NEVER
    return crossing, PAYS if math.isfinite(crossing.high) else NOT_SHOWN


def calls_to_pay(
    first_seconds: Sequence[float],
    call_seconds: NDArray[np.float64],
    reference_seconds: NDArray[np.float64],
    level: float = LEVEL,
) -> Interval:
    """Calls after which a first call is paid for: at least 1, and infinite where it never is.

    ``first_seconds`` are times of first calls, each in a new process; ``call_seconds`` and
    ``reference_seconds`` are times of one call, paired by pass. After N calls a first call is paid
    for if it cost at most ``call + N * (reference - call)``. Every pass gives a value of this
    allowance, so its interval includes how the two times vary together. N belongs to the interval
    unless the allowance and the first call's cost are shown to differ. They are if the difference
    of their centres is larger than the distances from each centre to the end of its interval that
    faces the other, added as squares (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702).
    Low is infinite where it is shown that no number of calls pays. High is infinite where no
    number is shown to pay. Both are NaN where only one value of either time is known.
    """
    cost = log_interval(first_seconds, level)

    def allowance(calls: float) -> Interval:
        savings = reference_seconds - call_seconds
        return mean_interval((call_seconds + calls * savings).tolist(), level)

    def is_paid(calls: float) -> bool:
        return allowance(calls).centre >= cost.centre

    def is_shown_paid(calls: float) -> bool:
        most = allowance(calls)
        distance = math.hypot(cost.high - cost.centre, most.centre - most.low)
        return most.centre - cost.centre > distance

    def may_be_paid(calls: float) -> bool:
        most = allowance(calls)
        distance = math.hypot(cost.centre - cost.low, most.high - most.centre)
        return cost.centre - most.centre <= distance

    centre = _smallest(is_paid)
    if math.isnan(cost.low) or math.isnan(allowance(1.0).low):
        return Interval(centre, math.nan, math.nan)
    return Interval(
        centre, min(_smallest(may_be_paid), centre), max(_smallest(is_shown_paid), centre)
    )


def _smallest(holds: Callable[[float], bool]) -> float:
    """The smallest number of calls, at least 1, for which something holds; infinite if none."""
    if not holds(MOST):
        return math.inf
    low, high = 0.0, math.log(MOST)
    if holds(1.0):
        return 1.0
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(math.exp(middle)) else (middle, high)
    return math.exp(high)
