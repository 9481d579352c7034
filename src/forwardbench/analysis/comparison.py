"""Two sets of results, cell by cell: which is faster, and is that shown? Pure functions.

A machine changes between two runs, even within minutes: seconds of identical code differ more
than their intervals say. What is compared is therefore, unless asked otherwise, each time
relative to the baseline's in the same pass; `docs/method.md` has the figures for both.
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
"""What is compared of each cell, by `CELL_KEY`: logarithms by pass, in the first and the second."""
NOT_COMPARABLE = "not comparable"
COLUMNS = [
    *CELL_KEY[:-1], "seconds_before", "seconds_after", "ratio", "ratio_low", "ratio_high",
    "verdict", "reason", "obstacle", "status_before", "status_after", "credible_before",
    "credible_after", HOST, "workload",
]  # fmt: skip
"""Columns of a comparison. A ratio says how many times as fast the second is as the first;
``obstacle`` is the reason without details, the same for all cells of which it holds."""


@dataclass(frozen=True)
class Comparison:
    """What two sets of results say about each other."""

    cells: pd.DataFrame
    """One row per cell of either: `COLUMNS`."""
    means: dict[str, Interval]
    """Geometric mean of the ratios that can be compared, by implementation."""
    overall: Interval | None
    """That of all of them; None where there is none."""
    relative_to: str
    """The baseline that times were taken relative to; empty where seconds were compared."""
    intervals: str
    """What intervals are called: those of single passes are the timing tool's own."""
    drift: Interval
    """How many times as fast the baseline itself was in the second, in seconds; NaN if unknown."""


def compare(before: Results, after: Results, baseline: str | None = None) -> Comparison:
    """Compare each time relative to the baseline's in the same pass.

    ``baseline`` is the first results' own unless given. Raises `UserError` where one of the two
    did not measure it.
    """
    name = baseline or before.baseline
    tables = []
    for each, which in ((before, "first"), (after, "second")):
        known = name in set(each.cells["implementation"])
        table = summarize(each, name) if known else None
        if table is None or not (is_credible(table) & (table["implementation"] == name)).any():
            raise UserError(
                f"the {which} results have no time of the baseline {name}: choose another with "
                "--baseline, or compare --seconds"
            )
        tables.append(_with_values(table, gather(each, table), name))
    return _compare(before, after, tables, name)


def compare_seconds(before: Results, after: Results) -> Comparison:
    """Compare seconds a call, which is fair where the machine was the same all the while."""
    tables = []
    for each in (before, after):
        table = summarize(each)
        tables.append(_with_values(table, gather(each, table), ""))
    return _compare(before, after, tables, "")


def _with_values(table: pd.DataFrame, evidence: Evidence, baseline: str) -> pd.DataFrame:
    """Add what is compared: the logarithm, by pass, of how fast each cell is; and its variance.

    The variance is known only where a tool gave an interval of its own for a single pass.
    """
    table = table[~is_control(table)]
    logs = [-np.log(np.array(seconds)) for seconds in evidence.passes.loc[table.index]]
    half_widths = np.log((table["seconds_high"] / table["seconds_low"]).to_numpy(float)) / 2
    speeds = pd.Series(logs, table.index)
    table = table.assign(
        floor=evidence.floors.loc[table.index],
        value=speeds,
        own_half_width=half_widths,
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
            widths.append(float(np.hypot(row["own_half_width"], base["own_half_width"])))
    return table.assign(value=pd.Series(values, table.index), own_half_width=widths)


def _compare(
    before: Results, after: Results, tables: list[pd.DataFrame], baseline: str
) -> Comparison:
    level = max(before.level, after.level)
    obstacle = _common_obstacle(before, after)
    indexed = [table.set_index(CELL_KEY, drop=False) for table in tables]
    drift = _drift(indexed, baseline, level)
    moved = np.log(1 + _far_end(drift))
    keys = list(dict.fromkeys([*indexed[0].index, *indexed[1].index]))
    rows, pairs = [], {}
    for key in keys:
        first, second = (each.loc[key] if key in each.index else None for each in indexed)
        row = {
            **dict(zip(CELL_KEY, key, strict=True)),
            **_judge(first, second, baseline, level, moved),
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
    passes = [len(set(each.samples["pass"])) for each in (before, after)]
    return "95 % interval" if max(passes) > 1 else "interval"


def _in_order(cells: pd.DataFrame, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """By sweep and setting as they come, then by implementation, slowest first, and size."""
    names = list(dict.fromkeys([*slowest_first(tables[0]), *slowest_first(tables[1])]))
    names += sorted(set(cells["implementation"]) - set(names))
    order = cells.assign(
        setting=cells.groupby(SETTING, sort=False).ngroup(),
        rank=[names.index(name) for name in cells["implementation"]],
        size=sizes(cells),
    ).sort_values(["setting", "rank", "size"])
    return cells.loc[order.index].reset_index(drop=True)


def _common_obstacle(before: Results, after: Results) -> str:
    """Why no cell of the two can be compared; empty if nothing speaks against it."""
    one, other = before.origin, after.origin
    if one.workload != other.workload:
        versions = f"{one.workload or 'unknown'} and {other.workload or 'unknown'}"
        return f"different inputs: workload versions {versions}"
    if one.tool != other.tool:
        return f"timed by different tools: {one.tool} and {other.tool}"
    if not one.hardware or not other.hardware:
        return "the machine was not recorded"
    if one.hardware != other.hardware:
        return f"different machines: {one.hardware} and {other.hardware}"
    return ""


def _judge(
    first: pd.Series[Any] | None,
    second: pd.Series[Any] | None,
    baseline: str,
    level: float,
    moved: float,
) -> dict[str, Any]:
    """Ratio, interval and verdict of one cell.

    Nothing is shown inside the noise floor of either side, nor below ``moved``: how far the
    baseline itself moved, in the logarithm of its seconds. Where a machine has changed by so
    much, it has not changed by the same factor for all code. And nothing is shown that seconds do
    not show as well: then it is the baseline that changed.
    """
    found = {
        **_side(first, "before"),
        **_side(second, "after"),
        **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), np.nan),
        HOST: "",
    }
    obstacle, detail = _obstacle(first, second)
    if first is None or second is None or obstacle:
        return {**found, **_not_comparable(obstacle, detail)}
    if first["implementation"] == baseline:
        reason = "the others are relative to it; --seconds compares its own time"
        return {**found, **_not_comparable(reason)}
    interval = _ratio(first, second, level, "value", "own_half_width")
    if interval.centre != interval.centre:
        reason = f"{baseline} was not measured beside it in both"
        return {**found, **_not_comparable(reason)}
    floor = max(np.log(first["floor"]), np.log(second["floor"]), moved)
    found |= {"ratio": interval.centre, "ratio_low": interval.low, "ratio_high": interval.high}
    if interval.low != interval.low:
        return {**found, **_verdict_of(NO_DIFFERENCE, "one pass, so no interval")}
    seconds = _ratio(first, second, level, "absolute", "absolute_half_width")
    agree = seconds.low > 1 if interval.centre > 1 else seconds.high < 1
    inside = interval.low <= 1 <= interval.high or abs(np.log(interval.centre)) <= floor
    if inside or not agree:
        return {**found, **_verdict_of(NO_DIFFERENCE)}
    return {**found, **_verdict_of("faster" if interval.centre > 1 else "slower")}


def _verdict_of(verdict: str, reason: str = "") -> dict[str, str]:
    """The verdict's columns of a cell that can be compared."""
    return {"verdict": verdict, "reason": reason, "obstacle": ""}


def _side(row: pd.Series[Any] | None, when: str) -> dict[str, Any]:
    """Time, status and credibility of one side, under names that say which."""
    seconds, status, credible = (
        (np.nan, "", None) if row is None else (row["seconds"], row["status"], row["credible"])
    )
    return {f"seconds_{when}": seconds, f"status_{when}": status, f"credible_{when}": credible}


def _obstacle(first: pd.Series[Any] | None, second: pd.Series[Any] | None) -> tuple[str, str]:
    """Why a cell cannot be compared, and the detail of it; both empty if nothing speaks against."""
    for row, which in ((first, "first"), (second, "second")):
        if row is None:
            return f"not in the {which}", ""
        if row["status"] != Status.MEASURED:
            return f"{row['status']} in the {which}", str(row["reason"])
        if not row["credible"]:
            return f"not credible in the {which}", str(row["reason"])
    return "", ""


def _not_comparable(obstacle: str, detail: str = "") -> dict[str, str]:
    """The verdict's columns of a cell that cannot be compared."""
    reason = f"{obstacle}: {detail}" if detail else obstacle
    return {"verdict": NOT_COMPARABLE, "reason": reason, "obstacle": obstacle}


def _ratio(
    first: pd.Series[Any], second: pd.Series[Any], level: float, value: str, half_width: str
) -> Interval:
    """How many times as fast the second is; ``value`` and ``half_width`` are columns."""
    one, other = (each[value][~np.isnan(each[value])] for each in (first, second))
    if not len(one) or not len(other):
        return Interval(np.nan, np.nan, np.nan)
    if len(one) == len(other) == 1:
        centre = float(np.exp(other[0] - one[0]))
        return _around(centre, float(np.hypot(first[half_width], second[half_width])))
    return ratio_interval(one, other, level)


def _means(pairs: Pairs, level: float) -> dict[str, Interval]:
    names = list(dict.fromkeys(str(key[0]) for key in pairs))
    return {
        name: _mean({key: pair for key, pair in pairs.items() if key[0] == name}, level)
        for name in names
    }


def _mean(pairs: Pairs, level: float) -> Interval:
    """Geometric mean of ratios, with the wider of two intervals; none where passes give none.

    One is over passes, which shift all cells together; the other over cases, which differ from
    run to run by more than passes show (where things lie in memory, for one). Implementations
    share their baseline's time on a case, so a case counts once.
    """
    sides = [[pair[side] for pair in pairs.values()] for side in (0, 1)]
    over_passes = ratio_interval(_pass_means(sides[0]), _pass_means(sides[1]), level)
    changes = {key: np.log(ratio_interval(*pair, level).centre) for key, pair in pairs.items()}
    by_case: dict[tuple[Any, ...], list[float]] = {}
    for key, change in changes.items():
        by_case.setdefault(key[1:], []).append(float(change))
    cases = np.array([np.mean(each) for each in by_case.values()])
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
    """An interval as wide on both sides in the logarithm."""
    factor = float(np.exp(half_width))
    return Interval(centre, centre / factor, centre * factor)


def _pass_means(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over cells for each pass, as far as cells have one, shape (passes,)."""
    passes = max(len(each) for each in values)
    grid = np.full((len(values), passes), np.nan)
    for row, each in zip(grid, values, strict=True):
        row[: len(each)] = each - np.nanmean(each)
    level = np.mean([np.nanmean(each) for each in values])
    counted = ~np.isnan(grid).all(axis=0)
    return np.asarray(np.nanmean(grid[:, counted], axis=0) + level)


def _drift(tables: list[pd.DataFrame], baseline: str, level: float) -> Interval:
    """How many times as fast the baseline was in the second, in seconds, over all its cases."""
    if not baseline:
        return Interval(np.nan, np.nan, np.nan)
    one, other = (
        table[(table["implementation"] == baseline) & is_credible(table)] for table in tables
    )
    both = [key for key in one.index if key in other.index]
    pairs = {key: (one.loc[key, "absolute"], other.loc[key, "absolute"]) for key in both}
    pairs = {key: pair for key, pair in pairs.items() if len(pair[0]) and len(pair[1])}
    return _mean(pairs, level) if pairs else Interval(np.nan, np.nan, np.nan)


def _far_end(drift: Interval) -> float:
    """The largest share by which a baseline may have moved; 0 where that is not known."""
    known = [end for end in drift if end == end]
    return max((max(end, 1 / end) - 1 for end in known), default=0.0)


def broken(comparison: Comparison) -> pd.DataFrame:
    """The cells with a credible time in the first, and a wrong result or none in the second."""
    cells = comparison.cells
    failed = cells["status_after"].isin([Status.FAILED, Status.REJECTED])
    doubted = (cells["status_after"] == Status.MEASURED) & ~_is_true(cells["credible_after"])
    return cells[_is_true(cells["credible_before"]) & (failed | doubted)]


def _is_true(credible: pd.Series[Any]) -> pd.Series[bool]:
    """Where it is known to be so."""
    return credible.fillna(False).astype(bool)


def hidden(comparison: Comparison) -> float:
    """The share below which no difference is shown, since the baseline itself moved by it."""
    return float(_far_end(comparison.drift))


def is_shown(comparison: Comparison, mean: Interval) -> bool:
    """Whether a mean is a difference: outside 1, and by more than the baseline itself moved."""
    if mean.low != mean.low or mean.low <= 1 <= mean.high:
        return False
    return max(mean.centre, 1 / mean.centre) - 1 > _far_end(comparison.drift)


def regressions(comparison: Comparison, limit: float) -> pd.DataFrame:
    """The cells that are shown to take longer by more than ``limit``, a share.

    That is: a difference is shown, and its interval excludes one as small as that.
    """
    cells = comparison.cells
    return cells[(cells["verdict"] == "slower") & (cells["ratio_high"] < 1 / (1 + limit))]
