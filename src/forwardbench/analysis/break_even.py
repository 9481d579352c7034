"""After how many calls has a first call that compiles paid for itself? Pure functions.

After N calls an implementation that compiles has taken ``first + (N - 1) * own`` seconds, and the
one it is held against ``N * other``. Both are equal at N = (first - own) / (other - own), a ratio
whose denominator may well be 0: where it is not shown that calls are faster, no number of them is
shown to pay, and the interval has no upper end (Fieller 1954, Journal of the Royal Statistical
Society B 16, 175-185). As Fieller does, `calls_to_pay` asks of each N whether the two totals can
be told apart.
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
"""What a call could be made with instead, without compiling anything."""
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
"""Calls after which nothing is of interest: a microsecond so often takes thirty years."""
UNKNOWN = Interval(math.nan, math.nan, math.nan)

_PLACE = CELL_KEY[1:]
_TIMES = ["seconds", "seconds_low", "seconds_high", "pass_seconds"]


def break_evens(results: Results, table: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Make one row for each cell whose first call was timed, with the columns of `COLUMNS`.

    ``table`` is what `forwardbench.analysis.table.summarize` makes of the same results. Of several
    machines each is held against itself.
    """
    if results.parts:
        tables = [table[table[HOST] == part.host] for part in results.parts]
        found = [
            break_evens(part, own, evidence)
            for part, own in zip(results.parts, tables, strict=True)
        ]
        return pd.concat(found, ignore_index=True)
    own = table.assign(pass_seconds=evidence.passes.loc[table.index])
    own = own.assign(floor=evidence.floors.loc[table.index], credible=is_credible(table))
    own = own[~is_control(table)]
    theirs = own[(own["implementation"] == AGAINST) & own["credible"]]
    theirs = theirs[[*_PLACE, *_TIMES]].rename(columns={name: f"{name}_other" for name in _TIMES})
    rungs = own[own["implementation"] != AGAINST].merge(theirs, on=_PLACE, how="left")
    called = dict(iter(results.first_calls.groupby(CELL_KEY, sort=False)))
    rows = [
        _row({str(name): value for name, value in rung.items()}, called[key], results.level)
        for rung in rungs.to_dict("records")
        if (key := tuple(rung[name] for name in CELL_KEY)) in called
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(rung: dict[str, Any], called: pd.DataFrame, level: float) -> dict[str, Any]:
    """One row; ``rung`` is the table's, with the times of what it is held against."""
    times = called["seconds"].dropna().astype(float).tolist()
    first = log_interval(times, level) if times else UNKNOWN
    reason = "".join(called["reason"]) or _lack(rung)
    crossing, verdict = (UNKNOWN, "") if reason else _judge(times, rung, level)
    return {
        **{name: rung[name] for name in COLUMNS if name in rung},
        **_named("first", first),
        **_named("calls", crossing),
        "first_calls": len(times),
        "import_seconds": called["import_seconds"].astype(float).median(),
        "against": AGAINST,
        "against_seconds": rung["seconds_other"],
        "against_low": rung["seconds_low_other"],
        "against_high": rung["seconds_high_other"],
        "verdict": verdict,
        "reason": reason,
    }


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.centre, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _lack(rung: dict[str, Any]) -> str:
    """Say which time a break-even lacks; empty where none."""
    if not rung["credible"]:
        status = "" if rung["status"] == "measured" else f"{rung['status']}: "
        return f"{status}{rung['reason']}"
    if math.isnan(rung["seconds_other"]):
        return f"{AGAINST} has no time here to be held against"
    if not np.isfinite(_pairs(rung)).any():
        return f"no pass timed both it and {AGAINST}"
    return ""


def _pairs(rung: dict[str, Any]) -> NDArray[np.float64]:
    """Seconds a call of both in each pass that timed both, shape (2, passes)."""
    pairs = np.array([rung["pass_seconds"], rung["pass_seconds_other"]], float)
    return pairs[:, np.isfinite(pairs).all(axis=0)]


def _judge(times: list[float], rung: dict[str, Any], level: float) -> tuple[Interval, str]:
    """After how many calls it pays, and whether that is shown.

    Where a call is faster by no more than identical code can be, nothing is.
    """
    own, other = _pairs(rung)
    crossing = calls_to_pay(times, own, other, level)
    ratio = abs(math.log(log_interval((other / own).tolist(), level).centre))
    if ratio <= math.log(rung["floor"]):
        low = crossing.low if math.isfinite(crossing.low) else math.nan
        return Interval(crossing.centre, low, math.inf), NOT_SHOWN
    if crossing.low == math.inf:
        return crossing, NEVER
    return crossing, PAYS if math.isfinite(crossing.high) else NOT_SHOWN


def calls_to_pay(
    first: Sequence[float],
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    level: float = LEVEL,
) -> Interval:
    """Calls after which a first call is paid for: 1 at the least, infinite where it never is.

    ``first`` are seconds of first calls, each from a process of its own; ``own`` and ``other`` are
    seconds a call, paired by pass. What a first call may cost to be paid for after N calls is
    ``own + N * (other - own)``, which every pass gives a value for, so that its interval knows how
    the two vary together. N is in the interval unless that one and the interval of the first
    call's logarithm exclude, together, that the two are equal: their distances to the ends that
    face each other are added as squares (Zou and Donner 2008, Statistics in Medicine 27,
    1693-1702). Low is infinite where it is shown that no number of calls pays; high is where it is
    not shown that one does; both are NaN where only one value of either is known.
    """
    cost = log_interval(first, level)

    def allowed(calls: float) -> Interval:
        return mean_interval((own + calls * (other - own)).tolist(), level)

    def is_paid(calls: float) -> bool:
        return allowed(calls).centre >= cost.centre

    def is_shown_paid(calls: float) -> bool:
        may = allowed(calls)
        return may.centre - cost.centre > math.hypot(cost.high - cost.centre, may.centre - may.low)

    def may_be_paid(calls: float) -> bool:
        may = allowed(calls)
        return cost.centre - may.centre <= math.hypot(cost.centre - cost.low, may.high - may.centre)

    centre = _smallest(is_paid)
    if math.isnan(cost.low) or math.isnan(allowed(1.0).low):
        return Interval(centre, math.nan, math.nan)
    return Interval(
        centre, min(_smallest(may_be_paid), centre), max(_smallest(is_shown_paid), centre)
    )


def _smallest(holds: Callable[[float], bool]) -> float:
    """The smallest number of calls, from 1 on, from which on something holds; else infinite."""
    if not holds(MOST):
        return math.inf
    low, high = 0.0, math.log(MOST)
    if holds(1.0):
        return 1.0
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(math.exp(middle)) else (middle, high)
    return math.exp(high)
