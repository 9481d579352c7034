"""The report's table: every cell as text for people and as a value for sorting and copying."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from forwardbench.analysis.findings import hosts
from forwardbench.analysis.notation import with_words, write_ratio, write_time
from forwardbench.analysis.rows import is_control, sizes
from forwardbench.units import format_interval, format_percent, format_ratio, format_seconds


class Column(NamedTuple):
    """One column: its heading, its column in the table, and how to write a value."""

    name: str
    source: str
    write: Callable[[Any], str]
    number: bool = False


def _text(value: object) -> str:
    return str(value)


def _digits(value: float) -> str:
    return f"{value:.3g}"


COLUMNS = (
    Column("sweep", "sweep", _text),
    Column("case", "case", _text),
    Column("dtype", "dtype", _text),
    Column("threads", "threads", _text, number=True),
    Column("implementation", "implementation", _text),
    Column("status", "status", _text),
    Column("time", "seconds", format_seconds, number=True),
    Column("\u00b1", "half_width", format_percent, number=True),
    Column("speedup", "shown_speedup", format_ratio, number=True),
    Column("interval", "interval", _text),
    Column("verdict", "verdict", _text),
    Column("GFLOP/s", "gflops", _digits, number=True),
    Column("error", "error", lambda value: f"{value:.0e}", number=True),
    Column("passes", "passes", _text, number=True),
    Column("reason", "reason", _text),
)


_MACHINE = Column("machine", "host", _text)


def columns_of(table: pd.DataFrame) -> tuple[Column, ...]:
    """The columns to show, with one for the machine if there are several."""
    return (_MACHINE, *COLUMNS) if hosts(table) else COLUMNS


class Cell(NamedTuple):
    """What a cell shows, and the plain value behind it; both are empty if it is unknown."""

    text: str
    value: str
    look: str


class Row(NamedTuple):
    """One line of the table and the number of its series."""

    series: int
    cells: tuple[Cell, ...]


def list_rows(
    table: pd.DataFrame, series: Sequence[str], shown: Sequence[Hashable] | None = None
) -> Iterator[Row]:
    """Yield a row for each cell, by sweep, size and time; a control has the series it repeats.

    ``shown`` are the labels of the rows that are listed, None for all. Their words depend on the
    whole table.
    """
    intervals = [
        format_interval(low, high) if low != high else ""
        for low, high in zip(table["speedup_low"], table["speedup_high"], strict=True)
    ]
    columns = columns_of(table)
    table = with_words(table)
    table = table.assign(
        shown_speedup=table["speedup"].fillna(table["guess"]),
        half_width=(table["seconds_high"] - table["seconds_low"]) / 2 / table["seconds"],
        interval=intervals,
        size=sizes(table),
        repeats=table["implementation"].where(~is_control(table), table["baseline"]),
        order=table.groupby(["workload", "sweep"], sort=False).ngroup(),
    )
    table = table if shown is None else table.loc[list(shown)]
    for _, row in table.sort_values(["order", "dtype", "threads", "size", "seconds"]).iterrows():
        cells = tuple(_cell(row[column.source], column, row) for column in columns)
        yield Row(list(series).index(row["repeats"]) if row["repeats"] in series else -1, cells)


def _cell(value: Any, column: Column, row: pd.Series[Any]) -> Cell:
    look = "number" if column.number else "words" if column.source == "reason" else ""
    if pd.isna(value) or value == "":
        return Cell("", "", look)
    notations = {"seconds": write_time, "shown_speedup": write_ratio}
    write = notations.get(column.source)
    return Cell(write(row) if write else column.write(value), str(value), look)
