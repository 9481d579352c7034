"""Tables and messages for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.measure import Measurement
from rich.table import Table

from forwardbench.analysis.break_even import AGAINST
from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.comparison import Comparison
from forwardbench.analysis.comparison_findings import describe_drift, sentences
from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.findings import (
    baseline_of,
    finding,
    hosts,
    name_setting,
    noise_sentence,
    problems,
)
from forwardbench.analysis.first_call_findings import calls_words, first_call_problems, payoff
from forwardbench.analysis.noise import NO_DIFFERENCE, verdicts
from forwardbench.analysis.notation import UNDECIDED_KEY, with_words, write_ratio, write_time
from forwardbench.analysis.rows import is_control, sizes, slowest_first
from forwardbench.analysis.selection import (
    MOST_PRINTED,
    charted,
    choice_words,
    listed,
    some_first_calls,
)
from forwardbench.commands.shared.console import SafeConsole
from forwardbench.commands.shared.screen import STDOUT
from forwardbench.units import format_interval, format_seconds

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100
"""Largest width of a table in characters; also the width if there is no terminal."""
DROPPED = ("error", "GFLOP/s", "+-", "95 % interval")
"""Columns that are left out, in this order, if the terminal is too narrow."""
LONGEST = 32
"""Longest name in characters; a case may be half as long again."""


def make_console() -> Console:
    """Make a console on stdout; without a terminal it writes plain text of a fixed width."""
    console = SafeConsole(STDOUT)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def print_summary(table: pd.DataFrame, evidence: Evidence, console: Console) -> None:
    """Print the speedup of every implementation on every case, a table for each setting.

    Of a large run only those that its charts show.
    """
    shown = charted(table)
    for _, rows in table.groupby(SETTING, sort=False):
        console.print(_title(rows))
        if rows.index.isin(shown).any():
            for number, block in enumerate(_speedup_blocks(rows, shown, console)):
                if number:
                    console.print()
                console.print(block)
        _print_notes(rows, evidence, console)
    _print_choice(table, shown, console)


def print_cells(table: pd.DataFrame, evidence: Evidence, console: Console) -> None:
    """Print every cell with its intervals, a table for each setting; of a large run only some."""
    dropped: tuple[str, ...] = ()
    shown = listed(table, MOST_PRINTED)
    for _, rows in table.groupby(SETTING, sort=False):
        console.print(_title(rows))
        if rows.index.isin(shown).any():
            dropped = _print_fitting(partial(_cells, rows, shown), console)
        _print_notes(rows, evidence, console)
    _print_choice(table, shown, console)
    if dropped:
        console.print(f"No room for: {', '.join(dropped)}. A wider terminal shows it.")


def print_break_evens(break_evens: pd.DataFrame, console: Console) -> None:
    """Print the cost of first calls and when they have paid, a table for each setting."""
    shown, words = some_first_calls(break_evens)
    for _, rows in break_evens.groupby(SETTING, sort=False):
        setting = f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"
        console.print(f"{setting}: first call, and after how many calls it has paid")
        console.print(_first_calls(rows[rows.index.isin(shown.index)]))
        notes = (f"{payoff(rows)}.", *first_call_problems(rows))
        console.print("\n".join(notes))
        console.print()
    if words:
        console.print(words)


def _first_calls(rows: pd.DataFrame) -> Table:
    """One line per cell whose first call was timed, cases by size."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("case", overflow="fold", max_width=LONGEST // 2 * 3)
    table.add_column("implementation", overflow="fold", max_width=LONGEST)
    for name in ("import", "first call", "a call", AGAINST, "pays after calls"):
        table.add_column(name, justify="right")
    rows = rows.assign(size=sizes(rows)).sort_values(["size", "case", "implementation"])
    previous_case = ""
    for _, row in rows.iterrows():
        times = ("import_seconds", "first", "seconds", "against_seconds")
        shown = [format_seconds(row[name]) for name in times]
        case = row["case"] if row["case"] != previous_case else ""
        table.add_row(case, row["implementation"], *shown, calls_words(row))
        previous_case = row["case"]
    return table


def _print_fitting(make: Callable[[Sequence[str]], Table], console: Console) -> tuple[str, ...]:
    """Print a table; leave out columns of `DROPPED` until it fits, and return those left out."""
    for count in range(len(DROPPED) + 1):
        table = make(DROPPED[:count])
        if _room_for(table, console) <= console.width:
            break
    console.print(table)
    return DROPPED[:count]


def _room_for(table: Table, console: Console) -> int:
    """The width in characters that a table needs if no text is folded."""
    return Measurement.get(console, console.options.update_width(10_000), table).maximum


def _print_choice(table: pd.DataFrame, shown: Sequence[Hashable], console: Console) -> None:
    """Say which cells were printed, unless all were."""
    words = choice_words(table, table[table.index.isin(shown)])
    if words:
        console.print(words)


def _print_notes(rows: pd.DataFrame, evidence: Evidence, console: Console) -> None:
    notes = (f"{finding(rows, evidence)}.", noise_sentence(rows), _brackets(rows), *problems(rows))
    for sentence in notes:
        if sentence:
            console.print(sentence)
    console.print()


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print every ratio of a comparison with its interval and verdict, then a summary."""
    console.print(describe_drift(comparison))
    console.print()
    for _, rows in comparison.cells.groupby(SETTING, sort=False):
        console.print(f"{rows['sweep'].iloc[0]}, {name_setting(rows)}: second against first")
        console.print(_changes(rows, comparison.intervals))
        console.print()
    for sentence in sentences(comparison):
        console.print(sentence)


def _changes(rows: pd.DataFrame, intervals: str) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("case", overflow="fold", max_width=LONGEST // 2 * 3)
    table.add_column("implementation", overflow="fold", max_width=LONGEST)
    for name in ("first", "second", "times as fast", intervals):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for _, row in rows.iterrows():
        known = row["ratio_low"] == row["ratio_low"]
        interval = f"{row['ratio_low']:.3f} to {row['ratio_high']:.3f}" if known else ""
        table.add_row(
            row["case"],
            row["implementation"],
            format_seconds(row["seconds_before"]),
            format_seconds(row["seconds_after"]),
            f"{row['ratio']:.3f}" if row["ratio"] == row["ratio"] else "",
            interval,
            row["verdict"],
        )
    return table


def _brackets(rows: pd.DataFrame) -> str:
    """Explain the brackets; empty if there are none."""
    same = verdicts(rows)[~is_control(rows)] == NO_DIFFERENCE
    return UNDECIDED_KEY if same.any() else ""


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    threads = "1 thread" if first["threads"] == 1 else f"{first['threads']} threads"
    passes = "1 pass" if rows["passes"].max() == 1 else f"{rows['passes'].max()} passes"
    guessed = "; ~ is estimated" if (rows["status"] == "estimated").any() else ""
    host = "".join(f"{name}: " for name in hosts(rows))
    return (
        f"{host}{first['sweep']}, {first['dtype']}, {threads}: speedup over {baseline_of(rows)}, "
        f"{passes}{guessed}"
    )


def _speedup_blocks(
    rows: pd.DataFrame, shown: Sequence[Hashable], console: Console
) -> Iterator[Table]:
    """Rows are cases, columns implementations, in as many tables as fit the console's width.

    The first column of every table is the baseline, with its time.
    """
    baseline = baseline_of(rows)
    rows = with_words(rows)[~is_control(rows) & rows.index.isin(shown)]
    rows = rows.assign(size=sizes(rows)).sort_values("size")
    without_time = sorted(set(rows["implementation"]) - set(slowest_first(rows)))
    order = [*slowest_first(rows), *without_time]
    names = [baseline, *(name for name in order if name != baseline)]
    start = 1
    while start < max(2, len(names)):
        for count in range(len(names) - start, -1, -1):
            block = _speedup_block(rows, [baseline, *names[start : start + count]])
            if _room_for(block, console) <= console.width or count <= 1:
                break
        yield block
        start += max(1, count)


def _speedup_block(rows: pd.DataFrame, names: list[str]) -> Table:
    baseline = names[0]
    table = Table(box=None, pad_edge=False)
    table.add_column("case", overflow="fold", max_width=LONGEST // 2 * 3)
    for name in names:
        label = name.replace("_", "_\n")
        table.add_column(label, justify="right", overflow="fold", max_width=LONGEST)
    for _, group in rows.groupby(["case", "activation"], sort=False):
        cells = {row["implementation"]: row for _, row in group.iterrows()}
        shown = [_time(cells.get(baseline)), *(_speedup(cells.get(name)) for name in names[1:])]
        table.add_row(group["case"].iloc[0], *shown)
    return table


def _time(row: pd.Series[Any] | None) -> str:
    return "" if row is None else write_time(row) or str(row["status"])


def _speedup(row: pd.Series[Any] | None) -> str:
    return "" if row is None else write_ratio(row) or str(row["status"])


def _cells(rows: pd.DataFrame, shown: Sequence[Hashable], without: Sequence[str]) -> Table:
    """One line per cell that is shown, cases by size and the fastest first in each."""
    several = rows["passes"].max() > 1
    rows = with_words(rows).assign(size=sizes(rows))[rows.index.isin(shown)]
    rows = rows.sort_values(["size", "case", "seconds"])
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("case", overflow="fold", max_width=LONGEST // 2 * 3)
    table.add_column("implementation", overflow="fold", max_width=LONGEST)
    columns = [name for name in _VALUES if name not in without]
    for name in columns:  # with a single pass, the interval is the timing tool's own
        label = name if several else name.removeprefix("95 % ")
        table.add_column(label, justify="right", no_wrap=True)
    previous_case = ""
    for _, row in rows.iterrows():
        table.add_row(
            row["case"] if row["case"] != previous_case else "",
            row["implementation"],
            *(_VALUES[name](row) for name in columns),
        )
        previous_case = row["case"]
    return table


def _interval(row: pd.Series[Any]) -> str:
    if row["speedup_low"] == row["speedup_high"]:
        return ""
    return format_interval(row["speedup_low"], row["speedup_high"])


def _half_width(row: pd.Series[Any]) -> str:
    """Half the width of a time's interval, as a share of the time."""
    if pd.isna(row["seconds_low"]):
        return ""
    return f"{(row['seconds_high'] - row['seconds_low']) / 2 / row['seconds'] * 100:.1f} %"


_VALUES: dict[str, Callable[[pd.Series[Any]], str]] = {
    "time": _time,
    "+-": _half_width,
    "speedup": write_ratio,
    "95 % interval": _interval,
    "GFLOP/s": lambda row: f"{row['gflops']:.3g}" if pd.notna(row["gflops"]) else "",
    "error": lambda row: f"{row['error']:.0e}" if pd.notna(row["error"]) else "",
}
"""The columns of `print_cells` after the names, with the function that writes each cell."""
