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
    own = rows[~is_control(rows)]
    heading = f"## {_escape(describe_sweep(rows))}; {_escape(name_setting(rows))}\n\n"
    notes = " ".join([*_notes(rows, own), f"Intervals: {intervals}." if intervals else ""])
    found = f"{finding(rows, bundle.evidence)}."
    return heading + _paragraph(found) + "\n" + _table(own, intervals) + "\n" + _paragraph(notes)


def _notes(rows: pd.DataFrame, own: pd.DataFrame) -> Iterator[str]:
    """Sentences that say how to read the table of `own`, the rows without controls."""
    yield f"Speedups are over {baseline_of(rows)}."
    if (own["verdict"] == NO_DIFFERENCE).any():
        yield UNDECIDED_KEY
    if (own["status"] == "estimated").any():
        yield ESTIMATED_KEY
    yield noise_sentence(rows)


def _table(own: pd.DataFrame, intervals: str) -> str:
    """Cases by size, and the fastest first in each."""
    header = _HEADER.format(interval="interval" if intervals else "95 % interval")
    several = own["activation"].nunique() > 1
    ordered = own.assign(size=sizes(own)).sort_values(["size", "case", "activation", "seconds"])
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
    """A paragraph, whose first letters are no mark of a list, a heading line or a rule."""
    return re.sub(r"^([0-9]*)([-+=.)])", r"\1\\\2", _escape(text)) + "\n"


def _escape(text: str) -> str:
    """Write text in one line without anything that Markdown or HTML would obey outside a table.

    Names stay readable: an underscore inside a word is plain, and so is a single tilde.
    """
    line = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    line = re.sub(r"[\\`*\[\]<>&#$!]|~(?=.*~)", r"\\\g<0>", line)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", line)
