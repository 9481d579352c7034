"""Statistics: from samples, one per cell and pass, to the table behind everything that is shown.

All functions are pure. A speedup pairs baseline and implementation inside each pass. This removes
whatever slowed the whole pass.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.analysis.amounts import amount_of
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.estimates import with_estimates
from forwardbench.analysis.plausibility import describe_implausibility
from forwardbench.errors import UserError
from forwardbench.records import Status
from forwardbench.results import CELL_KEY, Results
from forwardbench.results.several_machines import name_machine
from forwardbench.statistics.intervals import Interval, log_interval

Samples = dict[tuple[Any, ...], pd.DataFrame]
"""The passes of each cell that was measured, by `CELL_KEY`."""


def summarize(results: Results, baseline: str | None = None) -> pd.DataFrame:
    """Make the table: one row per cell, with the columns of `COLUMNS`.

    A control's speedup is relative to the implementation that it repeats. A speedup is empty
    where the baseline has no credible time. Raises `UserError` for a baseline that is not one of
    the implementations. The runs of several machines are summarized one by one: times of two
    machines are never paired.
    """
    if results.parts:
        return _side_by_side(results, baseline)
    if baseline is not None:
        _check_baseline(results, baseline)
    baseline = baseline or results.baseline
    cells = _records(results.cells)
    samples = _samples_of(results, cells)
    credible = dict(samples)
    rows = [_row(cell, samples, baseline, results.level) for cell in cells]
    for row in rows:
        on_gpu = _repeated_name(row) in results.on_gpu
        implausibility = "" if on_gpu else describe_implausibility(row, results.ceilings)
        row["reason"] = row["reason"] or implausibility
        if row["status"] == Status.MEASURED:
            row["credible"] = not implausibility
        if implausibility:  # an implausible time cannot be a baseline
            credible.pop(_key(row), None)
    for row in rows:
        row.update(_speedup_of(row, samples, credible, results.level))
    table = pd.DataFrame(rows).assign(machine=name_machine(results), commit=results.commit)
    table["credible"] = table["credible"].astype("boolean")
    return with_estimates(table[COLUMNS])


def _samples_of(results: Results, cells: list[dict[str, Any]]) -> Samples:
    """The passes of each measured cell, without rejected ones, which cannot be a baseline."""
    groups = results.samples.groupby(CELL_KEY, sort=False)
    samples = {key: group.set_index("pass") for key, group in groups}
    measured = {_key(cell) for cell in cells if cell["status"] == Status.MEASURED}
    return {key: group for key, group in samples.items() if key in measured}


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in CELL_KEY)


def _repeated_name(row: dict[str, Any]) -> str:
    """The implementation of a row; of a control, the one that it repeats."""
    return str(row["control_of"] or row["implementation"])


def _side_by_side(results: Results, baseline: str | None) -> pd.DataFrame:
    """Join the tables of several machines: each setting lists all machines in turn."""
    if not (baseline or results.baseline):
        baselines = ", ".join(f"{part.host}: {part.baseline}" for part in results.parts)
        raise UserError(
            f"these runs have different baselines ({baselines}): choose one: --baseline NAME"
        )
    tables = pd.concat([summarize(part, baseline) for part in results.parts], ignore_index=True)
    order = tables.groupby(["workload", "sweep", "dtype", "threads"], sort=False).ngroup()
    return tables.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _check_baseline(results: Results, baseline: str) -> None:
    cells = results.cells[results.cells["control_of"] == ""]
    names = sorted(set(cells["implementation"]))
    if baseline not in names:
        raise UserError(f"no baseline {baseline!r} there: choose from {', '.join(names)}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries of columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _row(cell: dict[str, Any], samples: Samples, baseline: str, level: float) -> dict[str, Any]:
    """One row of the table, without its speedup."""
    row = {
        **dict.fromkeys(COLUMNS, np.nan),
        **{name: cell[name] for name in COLUMNS if name in cell},
        "baseline": cell["control_of"] or baseline,
        "passes": 0,
        "credible": None,
    }
    if cell["status"] == Status.MEASURED:
        passes = samples[_key(cell)]
        row["passes"] = len(passes)
        row.update(_named("seconds", _interval_of(passes, level)))
        amount = amount_of(cell["workload"], cell["case"])
        if amount.is_known:
            row["gflops"] = 2 * amount.multiply_adds / row["seconds"] / 1e9
        row["error"] = passes["error"].max()
    elif cell["status"] == Status.SKIPPED and cell["predicted"] == cell["predicted"]:
        row["status"] = str(Status.ESTIMATED)
        predicted = (cell["predicted"], cell["predicted_low"], cell["predicted_high"])
        row.update(_named("seconds", Interval(*predicted)))
    return row


def _speedup_of(
    row: dict[str, Any], samples: Samples, credible: Samples, level: float
) -> dict[str, float]:
    """A row's speedup with its interval; empty where it or its baseline has no time.

    The baseline's time must be credible. The row's own time need not be: its ratio is shown and
    marked.
    """
    if row["status"] != Status.MEASURED:
        return {}
    if row["baseline"] == row["implementation"]:
        return _named("speedup", Interval(1.0, 1.0, 1.0))
    baseline = credible.get(_key({**row, "implementation": row["baseline"]}))
    if baseline is None:
        return {}
    return _named("speedup", _ratio_of(baseline, samples[_key(row)], level))


def _interval_of(passes: pd.DataFrame, level: float) -> Interval:
    """The centre of a cell's times with the interval over passes, or the tool's for one pass."""
    if len(passes) == 1:
        centre, low, high = (float(passes[name].iloc[0]) for name in ("seconds", "low", "high"))
        return Interval(centre, low, high)
    return log_interval(passes["seconds"].tolist(), level)


def _ratio_of(baseline_passes: pd.DataFrame, passes: pd.DataFrame, level: float) -> Interval:
    """Ratio of two cells' times, paired inside each pass; NaN where no pass has both.

    With a single pass the timing tool's own intervals are used. The two times are independent, so
    the variances of their logarithms add up.
    """
    ratios = (baseline_passes["seconds"] / passes["seconds"]).dropna()
    if ratios.empty:
        return Interval(np.nan, np.nan, np.nan)
    if len(ratios) > 1:
        return log_interval(ratios.tolist(), level)
    centre = float(ratios.iloc[0])
    baseline, time = baseline_passes.loc[ratios.index[0]], passes.loc[ratios.index[0]]
    down = math.hypot(
        math.log(baseline["seconds"] / baseline["low"]), math.log(time["high"] / time["seconds"])
    )
    up = math.hypot(
        math.log(baseline["high"] / baseline["seconds"]), math.log(time["seconds"] / time["low"])
    )
    return Interval(centre, centre * math.exp(-down), centre * math.exp(up))


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.centre, f"{name}_low": interval.low, f"{name}_high": interval.high}
