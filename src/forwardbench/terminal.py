"""Tables and messages for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from forwardbench.analysis import (
    NO_DIFFERENCE,
    SETTING,
    estimated_speedups,
    is_control,
    sizes,
    slowest_first,
    verdicts,
)
from forwardbench.findings import baseline_of, finding, noise_sentence, troubles
from forwardbench.units import format_interval, format_ratio, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 240
"""Columns that a table may take where there is no terminal to fit; it takes what it needs."""


def make_console() -> Console:
    """A console on stdout; off a terminal it is plain text of a fixed width."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDTH)
    return console


def print_summary(table: pd.DataFrame, console: Console) -> None:
    """Print the speedup of every implementation on every case, a table for each setting."""
    _print_settings(table, console, _speedups)


def print_cells(table: pd.DataFrame, console: Console) -> None:
    """Print every cell with its intervals, a table for each setting."""
    _print_settings(table, console, _cells)


def _print_settings(
    table: pd.DataFrame, console: Console, make: Callable[[pd.DataFrame], Table]
) -> None:
    for _, rows in table.groupby(SETTING, sort=False):
        console.print(_title(rows))
        console.print(make(rows))
        for sentence in (
            f"{finding(rows)}.",
            noise_sentence(rows),
            _brackets(rows),
            *troubles(rows),
        ):
            if sentence:
                console.print(sentence, width=min(console.width, 100))
        console.print()


def _brackets(rows: pd.DataFrame) -> str:
    """Say what brackets mean; empty where there are none."""
    same = verdicts(rows)[~is_control(rows)] == NO_DIFFERENCE
    return f"In brackets: {NO_DIFFERENCE}." if same.any() else ""


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    threads = "1 thread" if first["threads"] == 1 else f"{first['threads']} threads"
    passes = "1 pass" if rows["passes"].max() == 1 else f"{rows['passes'].max()} passes"
    guessed = "; ~ is estimated" if (rows["status"] == "estimated").any() else ""
    return (
        f"{first['sweep']}, {first['dtype']}, {threads}: speedup over {baseline_of(rows)}, "
        f"{passes}{guessed}"
    )


def _speedups(rows: pd.DataFrame) -> Table:
    """Cases down, implementations across; the baseline's own column is its time."""
    rows = rows.assign(verdict=verdicts(rows))  # the controls' noise floor has a say in it
    rows = rows[~is_control(rows)]
    rows = rows.assign(size=sizes(rows), guess=estimated_speedups(rows)["guess"]).sort_values(
        "size"
    )
    baseline = baseline_of(rows)
    without_time = sorted(set(rows["implementation"]) - set(slowest_first(rows)))
    order = [*slowest_first(rows), *without_time]
    names = [baseline, *(name for name in order if name != baseline)]
    table = Table(box=None, pad_edge=False)
    table.add_column("case", no_wrap=True)
    for name in names:
        table.add_column(name.replace("_", "_\n"), justify="right")
    for _, group in rows.groupby(["case", "activation"], sort=False):
        cells = {row["implementation"]: row for _, row in group.iterrows()}
        shown = [_time(cells.get(baseline)), *(_speedup(cells.get(name)) for name in names[1:])]
        table.add_row(group["case"].iloc[0], *shown)
    return table


def _time(row: pd.Series[Any] | None) -> str:
    if row is None:
        return ""
    guessed = "~" if row["status"] == "estimated" else ""
    return guessed + format_seconds(row["seconds"]) or row["status"]


def _speedup(row: pd.Series[Any] | None) -> str:
    if row is None:
        return ""
    if pd.notna(row["guess"]):
        return "~" + format_ratio(row["guess"])
    ratio = format_ratio(row["speedup"]) or row["status"]
    return f"({ratio})" if row["verdict"] == NO_DIFFERENCE else ratio


def _cells(rows: pd.DataFrame) -> Table:
    """One line per cell, cases by size and the fastest first in each."""
    rows = rows.assign(
        size=sizes(rows), guess=estimated_speedups(rows)["guess"], verdict=verdicts(rows)
    )
    rows = rows.sort_values(["size", "case", "seconds"])
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("case", no_wrap=True)
    table.add_column("implementation", no_wrap=True)
    for name in ("time", "+-", "speedup", "95 % interval", "GFLOP/s", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    before = ""
    for _, row in rows.iterrows():
        table.add_row(
            row["case"] if row["case"] != before else "",
            row["implementation"],
            _time(row),
            _half_width(row),
            _speedup(row) if pd.notna(row["speedup"]) or pd.notna(row["guess"]) else "",
            "" if row["speedup_low"] == row["speedup_high"] else _interval(row),
            f"{row['gflops']:.3g}" if pd.notna(row["gflops"]) else "",
            f"{row['error']:.0e}" if pd.notna(row["error"]) else "",
        )
        before = row["case"]
    return table


def _interval(row: pd.Series[Any]) -> str:
    return format_interval(row["speedup_low"], row["speedup_high"])


def _half_width(row: pd.Series[Any]) -> str:
    """Half the width of a time's interval, as a share of the time."""
    if pd.isna(row["seconds_low"]):
        return ""
    return f"{(row['seconds_high'] - row['seconds_low']) / 2 / row['seconds'] * 100:.1f} %"
