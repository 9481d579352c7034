"""What a table says, in sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from forwardbench.analysis import crossovers, is_control, noise_floor, size_axis, sizes
from forwardbench.units import format_interval, format_ratio


def finding(table: pd.DataFrame, *, with_interval: bool = False) -> str:
    """Say how much faster the fastest is than the baseline, on the largest case that shows it.

    ``table`` holds one setting. Only measured times count.
    """
    baseline = baseline_of(table)
    rivals = table[table["speedup"].notna() & ~is_control(table)]
    rivals = rivals[rivals["implementation"] != baseline]
    if rivals.empty:
        return f"Nothing was measured beside {baseline}"
    rivals = rivals.assign(size=sizes(rivals))
    there = rivals[rivals["size"] == rivals["size"].max()]
    best = there.loc[there["speedup"].idxmax()]
    sentence = _compare(best, baseline)
    if with_interval and pd.notna(best["speedup_low"]):
        interval = format_interval(best["speedup_low"], best["speedup_high"])
        sentence += f" (95 % interval {interval}, {best['passes']} passes)"
    crossing = crossovers(table, best["implementation"])
    if best["speedup"] > 1 and crossing:
        sentence += f"; {baseline} wins below {crossing[-1]:.2g}"
    return sentence


def _compare(best: pd.Series[Any], baseline: str) -> str:
    name, case = best["implementation"], best["case"]
    if best["speedup_low"] <= 1 <= best["speedup_high"]:
        return f"No difference shown between {name} and {baseline} at {case}"
    ratio = format_ratio(max(best["speedup"], 1 / best["speedup"]))[:-1]
    if best["speedup"] > 1:
        return f"{name} is {ratio} times faster than {baseline} at {case}"
    return f"Nothing beats {baseline} at {case}: {name} takes {ratio} times as long"


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
        f"Noise floor: 95 % of ratios of identical code lay within {(floor - 1) * 100:.2g} % of 1x."
    )


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
