"""Compare two sets of results cell by cell: which is faster, and is that shown? Pure functions.

A machine changes between two runs, even within minutes: seconds of identical code differ more
than their intervals say. Therefore each time is by default compared relative to the baseline's
time in the same pass; `docs/method.md` has the figures for both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.evidence import Evidence, gather
from forwardbench.analysis.noise import NO_DIFFERENCE
from forwardbench.analysis.rows import is_control, is_credible, sizes, slowest_first
from forwardbench.analysis.table import summarize
from forwardbench.errors import UserError
from forwardbench.records import Status
from forwardbench.results import CELL_KEY, HOST, Results
from forwardbench.statistics.intervals import Interval, ratio_interval

Pairs = dict[tuple[Any, ...], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Logarithms of speed by pass, in the first and in the second results, by `CELL_KEY`."""
NOT_COMPARABLE = "not comparable"
COLUMNS = [
    *CELL_KEY[:-1], "seconds_before", "seconds_after", "ratio", "ratio_low", "ratio_high",
    "verdict", "reason", "obstacle", "status_before", "status_after", "credible_before",
    "credible_after", HOST, "workload",
]  # fmt: skip
"""Columns of a comparison. A ratio says how many times as fast the second is as the first;
``obstacle`` is the reason without details, so that cells can be counted by it."""


@dataclass(frozen=True)
class Comparison:
    """What two sets of results say about each other."""

    cells: pd.DataFrame
    """One row per cell of either: `COLUMNS`."""
    means: dict[str, Interval]
    """Geometric mean of the ratios that can be compared, by implementation."""
    overall: Interval | None
    """Geometric mean of all these ratios; None where there are none."""
    relative_to: str
    """The baseline that times were taken relative to; empty where seconds were compared."""
    intervals: str
    """The name of the intervals: those of single passes are the timing tool's own."""
    drift: Interval
    """How many times as fast the baseline was in the second results, by seconds; NaN if unknown."""


def compare(before: Results, after: Results, baseline: str | None = None) -> Comparison:
    """Compare each time relative to the baseline's in the same pass.

    By default ``baseline`` is that of the first results. Raises `UserError` where one of the two
    did not measure it.
    """
    name = baseline or before.baseline
    tables = []
    for results, which in ((before, "first"), (after, "second")):
        known = name in set(results.cells["implementation"])
        table = summarize(results, name) if known else None
        if table is None or not (is_credible(table) & (table["implementation"] == name)).any():
            raise UserError(
                f"the {which} results have no time of the baseline {name}: choose another with "
                "--baseline, or compare --seconds"
            )
        tables.append(_with_values(table, gather(results, table), name))
    return _compare(before, after, tables, name)


def compare_seconds(before: Results, after: Results) -> Comparison:
    """Compare seconds per call, which is fair only if the machine did not change."""
    tables = []
    for results in (before, after):
        table = summarize(results)
        tables.append(_with_values(table, gather(results, table), ""))
    return _compare(before, after, tables, "")


def _with_values(table: pd.DataFrame, evidence: Evidence, baseline: str) -> pd.DataFrame:
    """Add the values to compare: the logarithm of each cell's speed, by pass, and its half-width.

    The half-width is known only where a timing tool gave an interval for a single pass.
    """
    table = table[~is_control(table)]
    logs = [-np.log(np.array(seconds)) for seconds in evidence.passes.loc[table.index]]
    half_widths = np.log((table["seconds_high"] / table["seconds_low"]).to_numpy(float)) / 2
    speeds = pd.Series(logs, table.index)
    table = table.assign(
        floor=evidence.floors.loc[table.index],
        value=speeds,
        half_width=half_widths,
        absolute=speeds,
        absolute_half_width=half_widths,
    )
    if not baseline:
        return table
    keys = CELL_KEY[1:]
    bases = table[(table["implementation"] == baseline) & is_credible(table)].set_index(keys)
    values, widths = [], []
    for _, row in table.iterrows():
        key = tuple(row[keys])
        base = bases.loc[key] if key in bases.index else None
        if base is None or len(base["value"]) != len(row["value"]):
            values.append(np.array([]))
            widths.append(np.nan)
        else:
            values.append(row["value"] - base["value"])
            widths.append(float(np.hypot(row["half_width"], base["half_width"])))
    return table.assign(value=pd.Series(values, table.index), half_width=widths)


def _compare(
    before: Results, after: Results, tables: list[pd.DataFrame], baseline: str
) -> Comparison:
    level = max(before.level, after.level)
    obstacle = _common_obstacle(before, after)
    indexed = [table.set_index(CELL_KEY, drop=False) for table in tables]
    drift = _drift(indexed, baseline, level)
    largest_drift = np.log(1 + _largest_drift(drift))
    keys = list(dict.fromkeys([*indexed[0].index, *indexed[1].index]))
    rows, pairs = [], {}
    for key in keys:
        first, second = (table.loc[key] if key in table.index else None for table in indexed)
        row = {
            **dict(zip(CELL_KEY, key, strict=True)),
            **_judge(first, second, baseline, level, largest_drift),
        }
        if obstacle and row["verdict"] != NOT_COMPARABLE:
            row |= _not_comparable(obstacle)
        rows.append(row)
        if row["verdict"] != NOT_COMPARABLE and first is not None and second is not None:
            pairs[key] = (first["value"], second["value"])
    cells = pd.DataFrame(rows, columns=COLUMNS)
    return Comparison(
        _in_order(cells, tables),
        _means(pairs, level),
        _mean(pairs, level) if pairs else None,
        baseline,
        _name_intervals(before, after),
        drift,
    )


def _name_intervals(before: Results, after: Results) -> str:
    passes = [len(set(results.samples["pass"])) for results in (before, after)]
    return "95 % interval" if max(passes) > 1 else "interval"


def _in_order(cells: pd.DataFrame, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Sort cells by setting in the given order, then by implementation, slowest first, and size."""
    names = list(dict.fromkeys([*slowest_first(tables[0]), *slowest_first(tables[1])]))
    names += sorted(set(cells["implementation"]) - set(names))
    order = cells.assign(
        setting=cells.groupby(SETTING, sort=False).ngroup(),
        rank=[names.index(name) for name in cells["implementation"]],
        size=sizes(cells),
    ).sort_values(["setting", "rank", "size"])
    return cells.loc[order.index].reset_index(drop=True)


def _common_obstacle(before: Results, after: Results) -> str:
    """Why no cells of the two results can be compared; empty if they can."""
    first, second = before.origin, after.origin
    if first.workload != second.workload:
        versions = f"{first.workload or 'unknown'} and {second.workload or 'unknown'}"
        return f"different inputs: workload versions {versions}"
    if first.tool != second.tool:
        return f"timed by different tools: {first.tool} and {second.tool}"
    if not first.hardware or not second.hardware:
        return "the machine was not recorded"
    if first.hardware != second.hardware:
        return f"different machines: {first.hardware} and {second.hardware}"
    return ""


def _judge(
    first: pd.Series[Any] | None,
    second: pd.Series[Any] | None,
    baseline: str,
    level: float,
    largest_drift: float,
) -> dict[str, Any]:
    """Ratio, interval and verdict of one cell.

    A difference is shown only if it is larger than the noise floors of both sides and larger than
    ``largest_drift``: how much the baseline may have changed, in the logarithm of its seconds. A
    machine that has changed so much has not changed by the same factor for all code. Seconds must
    show the difference too: otherwise it is the baseline that changed.
    """
    columns = {
        **_side(first, "before"),
        **_side(second, "after"),
        **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), np.nan),
        HOST: "",
    }
    obstacle, detail = _obstacle(first, second)
    if first is None or second is None or obstacle:
        return {**columns, **_not_comparable(obstacle, detail)}
    if first["implementation"] == baseline:
        reason = "the others are relative to it; --seconds compares its own time"
        return {**columns, **_not_comparable(reason)}
    interval = _ratio(first, second, level, "value", "half_width")
    if interval.centre != interval.centre:
        reason = f"{baseline} was not measured beside it in both"
        return {**columns, **_not_comparable(reason)}
    floor = max(np.log(first["floor"]), np.log(second["floor"]), largest_drift)
    columns |= {"ratio": interval.centre, "ratio_low": interval.low, "ratio_high": interval.high}
    if interval.low != interval.low:
        return {**columns, **_verdict_of(NO_DIFFERENCE, "one pass, so no interval")}
    seconds = _ratio(first, second, level, "absolute", "absolute_half_width")
    agree = seconds.low > 1 if interval.centre > 1 else seconds.high < 1
    inside = interval.low <= 1 <= interval.high or abs(np.log(interval.centre)) <= floor
    if inside or not agree:
        return {**columns, **_verdict_of(NO_DIFFERENCE)}
    return {**columns, **_verdict_of("faster" if interval.centre > 1 else "slower")}


def _verdict_of(verdict: str, reason: str = "") -> dict[str, str]:
    """The columns of the verdict, for a cell that can be compared."""
    return {"verdict": verdict, "reason": reason, "obstacle": ""}


def _side(row: pd.Series[Any] | None, when: str) -> dict[str, Any]:
    """Time, status and credibility of one side, with the side in the columns' names."""
    seconds, status, credible = (
        (np.nan, "", None) if row is None else (row["seconds"], row["status"], row["credible"])
    )
    return {f"seconds_{when}": seconds, f"status_{when}": status, f"credible_{when}": credible}


def _obstacle(first: pd.Series[Any] | None, second: pd.Series[Any] | None) -> tuple[str, str]:
    """Why a cell cannot be compared, and the details; both empty if it can."""
    for row, which in ((first, "first"), (second, "second")):
        if row is None:
            return f"not in the {which}", ""
        if row["status"] != Status.MEASURED:
            return f"{row['status']} in the {which}", str(row["reason"])
        if not row["credible"]:
            return f"not credible in the {which}", str(row["reason"])
    return "", ""


def _not_comparable(obstacle: str, detail: str = "") -> dict[str, str]:
    """The columns of the verdict, for a cell that cannot be compared."""
    reason = f"{obstacle}: {detail}" if detail else obstacle
    return {"verdict": NOT_COMPARABLE, "reason": reason, "obstacle": obstacle}


def _ratio(
    first: pd.Series[Any], second: pd.Series[Any], level: float, value: str, half_width: str
) -> Interval:
    """How many times as fast the second is; ``value`` and ``half_width`` are columns."""
    before, after = (row[value][~np.isnan(row[value])] for row in (first, second))
    if not len(before) or not len(after):
        return Interval(np.nan, np.nan, np.nan)
    if len(before) == len(after) == 1:
        centre = float(np.exp(after[0] - before[0]))
        return _around(centre, float(np.hypot(first[half_width], second[half_width])))
    return ratio_interval(before, after, level)


def _means(pairs: Pairs, level: float) -> dict[str, Interval]:
    names = list(dict.fromkeys(str(key[0]) for key in pairs))
    return {
        name: _mean({key: pair for key, pair in pairs.items() if key[0] == name}, level)
        for name in names
    }


def _mean(pairs: Pairs, level: float) -> Interval:
    """Geometric mean of ratios, with the wider of two intervals; NaN where passes give none.

    The first interval is over passes, which shift all cells together. The second is over cases,
    which differ from run to run by more than passes show, for example by where data lies in
    memory. Implementations share the baseline's time on a case, so each case counts once.
    """
    sides = [[pair[side] for pair in pairs.values()] for side in (0, 1)]
    over_passes = ratio_interval(_pass_means(sides[0]), _pass_means(sides[1]), level)
    changes = {key: np.log(ratio_interval(*pair, level).centre) for key, pair in pairs.items()}
    by_case: dict[tuple[Any, ...], list[float]] = {}
    for key, change in changes.items():
        by_case.setdefault(key[1:], []).append(float(change))
    cases = np.array([np.mean(case_changes) for case_changes in by_case.values()])
    half_width = np.fmax(np.log(over_passes.high / over_passes.centre), _half_width(cases, level))
    centre = float(np.exp(np.mean(list(changes.values()))))
    return _around(centre, float(half_width) if over_passes.high == over_passes.high else np.nan)


def _half_width(values: NDArray[np.float64], level: float) -> float:
    """Half the width of Student's interval of a mean; NaN for one value."""
    if len(values) < 2:
        return float("nan")
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(stdtrit(len(values) - 1, (1 + level) / 2) * error)


def _around(centre: float, half_width: float) -> Interval:
    """An interval that is symmetric in the logarithm."""
    factor = float(np.exp(half_width))
    return Interval(centre, centre / factor, centre * factor)


def _pass_means(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean of each pass over the cells that have it, shape (passes,)."""
    passes = max(len(cell) for cell in values)
    grid = np.full((len(values), passes), np.nan)
    for row, cell in zip(grid, values, strict=True):
        row[: len(cell)] = cell - np.nanmean(cell)
    level = np.mean([np.nanmean(cell) for cell in values])
    counted = ~np.isnan(grid).all(axis=0)
    return np.asarray(np.nanmean(grid[:, counted], axis=0) + level)


def _drift(tables: list[pd.DataFrame], baseline: str, level: float) -> Interval:
    """How many times as fast the baseline was in the second results, by seconds, on all cases."""
    if not baseline:
        return Interval(np.nan, np.nan, np.nan)
    first, second = (
        table[(table["implementation"] == baseline) & is_credible(table)] for table in tables
    )
    common = [key for key in first.index if key in second.index]
    pairs = {key: (first.loc[key, "absolute"], second.loc[key, "absolute"]) for key in common}
    pairs = {key: pair for key, pair in pairs.items() if len(pair[0]) and len(pair[1])}
    return _mean(pairs, level) if pairs else Interval(np.nan, np.nan, np.nan)


def _largest_drift(drift: Interval) -> float:
    """The largest share by which the baseline may have changed; 0 where that is not known."""
    known = [end for end in drift if end == end]
    return max((max(end, 1 / end) - 1 for end in known), default=0.0)


def broken(comparison: Comparison) -> pd.DataFrame:
    """The cells that had a credible time in the first results and have none in the second."""
    cells = comparison.cells
    failed = cells["status_after"].isin([Status.FAILED, Status.REJECTED])
    doubted = (cells["status_after"] == Status.MEASURED) & ~_is_true(cells["credible_after"])
    return cells[_is_true(cells["credible_before"]) & (failed | doubted)]


def _is_true(credible: pd.Series[Any]) -> pd.Series[bool]:
    """Mark the rows that are known to be credible."""
    return credible.fillna(False).astype(bool)


def baseline_change_limit(comparison: Comparison) -> float:
    """The share by which the baseline may have changed: no smaller difference is shown."""
    return float(_largest_drift(comparison.drift))


def is_shown(comparison: Comparison, mean: Interval) -> bool:
    """Whether a mean shows a difference: its interval excludes 1, and it exceeds the drift."""
    if mean.low != mean.low or mean.low <= 1 <= mean.high:
        return False
    return max(mean.centre, 1 / mean.centre) - 1 > _largest_drift(comparison.drift)


def regressions(comparison: Comparison, limit: float) -> pd.DataFrame:
    """The cells that are shown to take longer by more than ``limit``, a share.

    A difference is shown, and its interval excludes one as small as the limit.
    """
    cells = comparison.cells
    return cells[(cells["verdict"] == "slower") & (cells["ratio_high"] < 1 / (1 + limit))]
