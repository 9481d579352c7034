"""Statistics: from samples, one per cell and pass, to the table that everything is shown from.

All functions are pure. A speedup pairs
baseline and implementation inside each pass, which removes whatever slowed that whole pass.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import (
    COLUMNS,
    HOST_COLUMN,
    IN_MEMORY,
    LEVEL_COLUMN,
    PASS_SECONDS,
)
from forwardbench.analysis.estimates import with_estimates
from forwardbench.analysis.plausibility import implausible
from forwardbench.cases import parse_case
from forwardbench.errors import UserError
from forwardbench.results import CELL_KEY, Results
from forwardbench.results.several_machines import name_machine
from forwardbench.statistics.intervals import Interval, log_interval
from forwardbench.workloads.forward import count_multiply_adds


def summarize(results: Results, baseline: str | None = None) -> pd.DataFrame:
    """Make the table: one row per cell, with the columns of `COLUMNS` and `IN_MEMORY`.

    A control's speedup is relative to the implementation that it repeats. A speedup is
    empty where the baseline was not measured, or not believed. Raises `UserError` for a baseline
    that is none of the implementations. Of several machines' runs each is summarized by itself:
    nothing is ever paired across them.
    """
    if results.parts:
        return _side_by_side(results, baseline)
    if baseline is not None:
        _check_baseline(results, baseline)
    baseline = baseline or results.baseline
    groups = results.samples.groupby(CELL_KEY, sort=False)
    samples = {key: group.set_index("pass") for key, group in groups}
    for cell in _records(results.cells):
        if cell["status"] != "measured":  # a rejected time is no baseline either
            samples.pop(tuple(cell[name] for name in CELL_KEY), None)
    passes = int(results.samples["pass"].max()) if len(results.samples) else 0
    rows = [
        _row(cell, samples, baseline, results.level, passes) for cell in _records(results.cells)
    ]
    for row, cell in zip(rows, _records(results.cells), strict=True):
        on_gpu = (cell["control_of"] or cell["implementation"]) in results.on_gpu
        doubt = "" if on_gpu else implausible(row, results.ceilings)
        row["reason"] = row["reason"] or doubt
        if doubt:  # nor is a time that is not believed
            samples.pop(tuple(row[name] for name in CELL_KEY), None)
    for row in rows:
        row.update(_speedup_of(row, samples, results.level))
    table = pd.DataFrame(rows).assign(machine=name_machine(results), commit=results.commit)
    table[HOST_COLUMN] = results.host
    table[LEVEL_COLUMN] = results.level
    return with_estimates(table[[*COLUMNS, *IN_MEMORY]])


def _side_by_side(results: Results, baseline: str | None) -> pd.DataFrame:
    """The tables of several machines as one, where machines alternate from setting to setting."""
    if not (baseline or results.baseline):
        named = ", ".join(f"{part.host}: {part.baseline}" for part in results.parts)
        raise UserError(
            f"these runs have different baselines ({named}): choose one: --baseline NAME"
        )
    tables = pd.concat([summarize(part, baseline) for part in results.parts], ignore_index=True)
    order = tables.groupby(["sweep", "dtype", "threads"], sort=False).ngroup()
    return tables.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _check_baseline(results: Results, baseline: str) -> None:
    own = results.cells[results.cells["control_of"] == ""]
    names = sorted(set(own["implementation"]))
    if baseline not in names:
        raise UserError(f"no baseline {baseline!r} there: choose from {', '.join(names)}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries of columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _row(
    cell: dict[str, Any],
    samples: dict[tuple[Any, ...], pd.DataFrame],
    baseline: str,
    level: float,
    passes: int,
) -> dict[str, Any]:
    """One row of the table; ``passes`` is how many the run has."""
    row = {
        **dict.fromkeys(COLUMNS, np.nan),
        **{name: cell[name] for name in COLUMNS if name in cell},
        "baseline": cell["control_of"] or baseline,
        "passes": 0,
        PASS_SECONDS: (),
    }
    key = [cell[name] for name in CELL_KEY]
    if cell["status"] == "measured":
        own = samples[tuple(key)]
        row["passes"] = len(own)
        row[PASS_SECONDS] = tuple(own["seconds"].reindex(range(1, passes + 1)).tolist())
        row.update(_named("seconds", _interval_of(own, level)))
        row["gflops"] = 2 * count_multiply_adds(parse_case(cell["case"])) / row["seconds"] / 1e9
        row["error"] = own["error"].max()
    elif cell["status"] == "skipped" and cell["predicted"] == cell["predicted"]:
        row["status"] = "estimated"
        predicted = (cell["predicted"], cell["predicted_low"], cell["predicted_high"])
        row.update(_named("seconds", Interval(*predicted)))
    return row


def _speedup_of(
    row: dict[str, Any], samples: dict[tuple[Any, ...], pd.DataFrame], level: float
) -> dict[str, float]:
    """A row's speedup with its interval; nothing where its time or the baseline's is no time.

    A row that is not believed itself keeps its ratio: it is shown, and marked.
    """
    if row["status"] != "measured":
        return {}
    if row["baseline"] == row["implementation"]:
        return _named("speedup", Interval(1.0, 1.0, 1.0))
    key = [row["baseline"], *(row[name] for name in CELL_KEY[1:])]
    other = samples.get(tuple(key))
    if other is None:
        return {}
    seconds = pd.Series(row[PASS_SECONDS], range(1, len(row[PASS_SECONDS]) + 1)).dropna()
    own = pd.DataFrame({"seconds": seconds, "low": row["seconds_low"], "high": row["seconds_high"]})
    return _named("speedup", _ratio_of(other, own, level))


def _interval_of(own: pd.DataFrame, level: float) -> Interval:
    """The centre of a cell's times; the interval over passes, or the tool's own for one."""
    if len(own) == 1:
        centre, low, high = (float(own[name].iloc[0]) for name in ("seconds", "low", "high"))
        return Interval(centre, low, high)
    return log_interval(own["seconds"].tolist(), level)


def _ratio_of(other: pd.DataFrame, own: pd.DataFrame, level: float) -> Interval:
    """Ratio of two cells' times, paired inside each pass; NaN where no pass has both.

    One measurement each, with intervals of the tool's own, has nothing to pair: logarithms of
    independent times have variances that add up.
    """
    ratios = (other["seconds"] / own["seconds"]).dropna()
    if ratios.empty:
        return Interval(np.nan, np.nan, np.nan)
    if len(ratios) > 1:
        return log_interval(ratios.tolist(), level)
    centre = float(ratios.iloc[0])
    theirs, ours = other.loc[ratios.index[0]], own.loc[ratios.index[0]]
    down = math.hypot(
        math.log(theirs["seconds"] / theirs["low"]), math.log(ours["high"] / ours["seconds"])
    )
    up = math.hypot(
        math.log(theirs["high"] / theirs["seconds"]), math.log(ours["seconds"] / ours["low"])
    )
    return Interval(centre, centre * math.exp(-down), centre * math.exp(up))


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.centre, f"{name}_low": interval.low, f"{name}_high": interval.high}


# --- reading the table -----------------------------------------------------------------
