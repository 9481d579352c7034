"""What a table says, in sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from forwardbench.analysis import (
    NO_DIFFERENCE,
    crossovers,
    is_control,
    is_credible,
    noise_floor,
    size_axis,
    sizes,
    verdicts,
)
from forwardbench.units import format_interval, format_ratio


def finding(table: pd.DataFrame) -> str:
    """Say how much faster the fastest is than the baseline, on the largest case that shows it.

    ``table`` holds one setting. Only what was measured, and is plausible, counts.
    """
    baseline = baseline_of(table)
    credible = table[is_credible(table) & ~is_control(table)]
    rivals = credible[credible["implementation"] != baseline]
    if rivals.empty:
        return f"Nothing was measured beside {baseline}"
    rivals = rivals[rivals["speedup"].notna()]
    if rivals.empty:
        return f"{baseline} was not measured where others were: choose another --baseline"
    rivals = rivals.assign(size=sizes(rivals))
    there = rivals[rivals["size"] == rivals["size"].max()]
    best = there.loc[there["speedup"].idxmax()]
    same = verdicts(table)[best.name] == NO_DIFFERENCE
    compared = _compare(best, baseline, same)
    return f"{compared} ({_certainty(best)}){_crossing(table, best, baseline)}"


def _compare(best: pd.Series[Any], baseline: str, same: bool) -> str:
    name, case = best["implementation"], best["case"]
    if same:
        return f"No difference shown between {name} and {baseline} at {case}"
    ratio = format_ratio(max(best["speedup"], 1 / best["speedup"]))[:-1]
    if best["speedup"] > 1:
        return f"{name} is {ratio} times faster than {baseline} at {case}"
    return f"Nothing beats {baseline} at {case}: {name} takes {ratio} times as long"


def _certainty(best: pd.Series[Any]) -> str:
    if pd.isna(best["speedup_low"]):
        return "one pass, so no interval"
    low, high = best["speedup_low"], best["speedup_high"]
    if best["speedup"] < 1:
        low, high = 1 / high, 1 / low  # as the sentence turns the ratio round
    return f"95 % interval {format_interval(low, high)}, {best['passes']} passes"


def _crossing(table: pd.DataFrame, best: pd.Series[Any], baseline: str) -> str:
    crossing = crossovers(table, best["implementation"])
    if best["speedup"] < 1 or not crossing:
        return ""
    grows = {"square": "sizes", "sample": "widths"}.get(best["sweep"], "batches")
    return f"; {baseline} wins at {grows} below {crossing[-1]:.2g}"


def baseline_of(table: pd.DataFrame) -> str:
    """Name the implementation that the table's speedups are relative to."""
    own = table[~is_control(table)]
    return str((own if len(own) else table)["baseline"].iloc[0])


def noise_sentence(table: pd.DataFrame) -> str:
    """Say how far apart identical code came out; empty without controls."""
    floor = noise_floor(table)
    if floor != floor:
        return ""
    return (
        "Noise floor: of ratios of identical code, 95 % are expected within "
        f"{(floor - 1) * 100:.2g} % of 1x."
    )


def troubles(table: pd.DataFrame) -> list[str]:
    """One line for each implementation with cells that have no time, or none to be believed.

    What was left out for its length alone is no trouble.
    """
    own = table[~is_control(table)]
    doubted = (own["status"] == "measured") & ~is_credible(own)
    missing = own["status"].isin(["failed", "rejected", "unavailable"])
    lines = []
    for name, rows in own[missing | doubted].groupby("implementation", sort=False):
        first = rows.iloc[0]
        count = f"{len(rows)} {'cell' if len(rows) == 1 else 'cells'} {first['status']}"
        lines.append(f"{name}: {count}, first {first['case']}: {first['reason']}")
    return lines


def describe(table: pd.DataFrame, what: str) -> str:
    """Alternative text of a chart: what kind it is, where its ends are, and its finding."""
    shown = [
        f"{name}: {_ends(rows)}"
        for name, rows in table[~is_control(table)].groupby("implementation", sort=False)
        if rows["speedup"].notna().any()
    ]
    sweep = table["sweep"].iloc[0]
    form = "Line chart" if size_axis(sweep) else "Point chart"
    return (
        f"{form} of {what} by size in the sweep {sweep}, where "
        f"{finding(table)}. Speedups over {baseline_of(table)}: {'; '.join(shown) or 'none'}."
    )


def _ends(rows: pd.DataFrame) -> str:
    known = rows[rows["speedup"].notna()]
    known = known.assign(size=sizes(known)).sort_values("size")
    first, last = known.iloc[0], known.iloc[-1]
    start = f"{format_ratio(first['speedup'])} at {first['case']}"
    return (
        start if len(known) == 1 else f"{start}, {format_ratio(last['speedup'])} at {last['case']}"
    )
