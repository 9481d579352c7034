"""Tables in GitHub's Markdown, one for each setting, for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from forwardbench.analysis.findings import (
    baseline_of,
    caption,
    describe_sweep,
    finding,
    name_setting,
    noise_sentence,
    settings,
)
from forwardbench.analysis.noise import NO_DIFFERENCE
from forwardbench.analysis.notation import (
    ESTIMATED_KEY,
    UNDECIDED_KEY,
    with_words,
    write_ratio,
    write_time,
)
from forwardbench.analysis.rows import is_control, sizes
from forwardbench.outputs.bundle import Bundle
from forwardbench.units import format_interval

_HEADER = """\
| case | implementation | time | speedup | {interval} | status |
| :--- | :--- | ---: | ---: | ---: | :--- |
"""
ORDER = 5
SUMMARY = "tables in GitHub's Markdown"
FILE = "table.md"


def write(bundle: Bundle) -> str:
    """A heading, the finding and a table for each setting; controls are left out."""
    sections = [_section(rows, bundle) for rows in settings(bundle.table)]
    return "\n".join([*sections, _paragraph(caption(bundle.table))])


def _section(rows: pd.DataFrame, bundle: Bundle) -> str:
    """One setting."""
    intervals = bundle.intervals
    rows = with_words(rows)
    shown = rows[~is_control(rows)]
    heading = f"## {_escape(describe_sweep(rows))}; {_escape(name_setting(rows))}\n\n"
    notes = " ".join([*_notes(rows, shown), f"Intervals: {intervals}." if intervals else ""])
    headline = _paragraph(f"{finding(rows, bundle.evidence)}.")
    return heading + headline + "\n" + _table(shown, intervals) + "\n" + _paragraph(notes)


def _notes(rows: pd.DataFrame, shown: pd.DataFrame) -> Iterator[str]:
    """Sentences that say how to read the table of ``shown``, the rows without controls."""
    yield f"Speedups are over {baseline_of(rows)}."
    if (shown["verdict"] == NO_DIFFERENCE).any():
        yield UNDECIDED_KEY
    if (shown["status"] == "estimated").any():
        yield ESTIMATED_KEY
    yield noise_sentence(rows)


def _table(rows: pd.DataFrame, intervals: str) -> str:
    """Cases sorted by size, with the fastest implementation first in each."""
    header = _HEADER.format(interval="interval" if intervals else "95 % interval")
    several = rows["activation"].nunique() > 1
    ordered = rows.assign(size=sizes(rows)).sort_values(["size", "case", "activation", "seconds"])
    lines = (_line(row, several) for _, row in ordered.iterrows())
    return header + "".join(lines)


def _line(row: pd.Series[Any], with_activation: bool) -> str:
    cells = (
        f"{row['case']} {row['activation']}" if with_activation else row["case"],
        row["implementation"],
        write_time(row),
        write_ratio(row),
        _interval(row),
        f"{row['status']}: {row['reason']}" if row["reason"] else row["status"],
    )
    escaped = [_escape(cell).replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |\n"


def _interval(row: pd.Series[Any]) -> str:
    if row["implementation"] == row["baseline"]:
        return ""
    return format_interval(row["speedup_low"], row["speedup_high"])


def _paragraph(text: str) -> str:
    """A paragraph that cannot be taken for a list, a heading or a horizontal rule."""
    return re.sub(r"^([0-9]*)([-+=.)])", r"\1\\\2", _escape(text)) + "\n"


def _escape(text: str) -> str:
    """Write text in one line and escape all that Markdown or HTML would interpret.

    A table needs its bars escaped as well. Names stay readable: an underscore inside a word and a
    single tilde are not escaped.
    """
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    line = re.sub(r"[\\`*\[\]<>&#$!]|~(?=.*~)", r"\\\g<0>", line)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", line)
