"""Rows and names of the entries for tools that follow times from run to run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from forwardbench.analysis.rows import is_control, is_credible
from forwardbench.cases import Case
from forwardbench.errors import UserError
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.results import HOST

_USUAL_ACTIVATION = Case.activation


def credible_rows(table: pd.DataFrame, reader: str) -> list[dict[str, Any]]:
    """The rows that such a tool may rely on: measured, credible, and no controls.

    ``reader`` is the tool's name. It does not accept an empty list, so this raises `UserError`
    if there is no such row.
    """
    rows = table[is_credible(table) & ~is_control(table)]
    if rows.empty:
        raise UserError(
            f"there is no time to give to {reader}, since no cell was measured: "
            "export csv, json or markdown, which say why"
        )
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def name_entry(row: dict[str, Any]) -> str:
    """Name a cell, as in `matmul/square/64x64-64/float64/1 thread`.

    With several machines the name begins with the machine, and a workload other than `forward`
    comes next. Tools find a cell of an earlier run by this name, so it depends only on the cell,
    and no two cells have the same name.
    """
    activation = row["activation"]
    parts = (
        *([_escape(row[HOST])] if row[HOST] else []),
        *([_escape(row["workload"])] if row["workload"] != DEFAULT_WORKLOAD else []),
        _escape(row["implementation"]),
        _escape(row["sweep"]),
        row["case"] if activation == _USUAL_ACTIVATION else f"{row['case']} {activation}",
        row["dtype"],
        "1 thread" if row["threads"] == 1 else f"{row['threads']} threads",
    )
    return "/".join(parts)


def _escape(text: str) -> str:
    """Write a name in one printable line without the separator; different names stay different."""
    escaped = "".join(
        letter if letter.isprintable() and letter not in "\\/" else f"\\{ord(letter):x};"
        for letter in text
    )
    # Readers remove a blank at the beginning.
    return f"\\20;{escaped[1:]}" if escaped.startswith(" ") else escaped
