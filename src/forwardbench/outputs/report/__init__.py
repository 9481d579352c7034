"""The report: one page that works offline, from results alone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from forwardbench.analysis import claims
from forwardbench.analysis.break_even import AGAINST, break_evens
from forwardbench.analysis.break_even import COLUMNS as BREAK_EVEN_COLUMNS
from forwardbench.analysis.columns import (
    HOST_COLUMN,
)
from forwardbench.analysis.crossovers import reach, winners, with_floors
from forwardbench.analysis.findings import (
    about,
    baseline_of,
    caption,
    finding,
    hosts,
    name_setting,
    noise_sentence,
    reach_words,
    settings,
    troubles,
)
from forwardbench.analysis.first_call_findings import calls_words
from forwardbench.analysis.rows import is_control, size_axis, slowest_first
from forwardbench.errors import UserError
from forwardbench.files import write_whole
from forwardbench.outputs import exports
from forwardbench.outputs.charts import (
    KINDS,
    OF_SOME,
    Drawn,
    View,
    draw,
    draw_break_evens,
    draw_sweeps,
)
from forwardbench.outputs.exports.tidy_csv import as_csv
from forwardbench.outputs.report.cells import columns_of, list_rows
from forwardbench.outputs.report.svg import Picture, Styles, embed
from forwardbench.results import Results
from forwardbench.units import format_seconds

NO_CONTROLS = "Nothing was measured twice as a control, so no noise floor is known."
WITH_LINEAR = ("time", "speedup", "cost")
"""Kinds of charts whose values make sense on a linear scale too, along an axis of sizes."""


@dataclass(frozen=True)
class _Shared:
    """What all pictures of a page have in common."""

    series: list[str]
    """Implementations, numbered by their place."""
    styles: Styles


def write_report(
    path: Path,
    results: Results,
    table: pd.DataFrame,
    warnings: Sequence[str] = (),
    drawn: Sequence[Drawn] | None = None,
) -> None:
    """Write the page of a run; ``drawn`` are its charts, where they have been drawn already.

    Raises `UserError` where the file cannot be written.
    """
    try:
        write_whole(path, make_page(results, table, warnings, drawn))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def make_page(
    results: Results,
    table: pd.DataFrame,
    warnings: Sequence[str] = (),
    drawn: Sequence[Drawn] | None = None,
) -> str:
    """Make the page of a run as HTML, every text from a file escaped."""
    table = with_floors(table)
    found = break_evens(results, table)
    drawn = [*draw_sweeps(table), *draw_break_evens(found)] if drawn is None else drawn
    shared = _Shared(_series(table), Styles())
    sweeps = [rows for _, rows in table.groupby("sweep", sort=False)]
    headlines = [line for rows in sweeps for line in _headlines(rows)]
    script = _asset("page.js")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _asset("page.html")
    )
    return template.render(
        headline=finding(sweeps[0]),
        sentences=[f"{line}." for line in headlines[1:]] + [noise_sentence(table) or NO_CONTROLS],
        warnings=warnings,
        facts={"measured": caption(table), **results.origin.facts},
        series=shared.series,
        intervals=results.origin.facts.get("intervals", ""),
        styles=shared.styles,
        sweeps=[*(_sweep(rows, drawn, shared) for rows in sweeps), *_history(table, drawn, shared)],
        reaches=_reaches(table),
        winners=[
            (f"{rows['sweep'].iloc[0]}, {name_setting(rows)}", winner)
            for rows in settings(table)
            for winner in winners(rows)
        ],
        first_calls=_first_calls(found),
        against=AGAINST,
        claims=claims.weigh(table, results.ceilings),
        columns=columns_of(table),
        rows=list_rows(table, shared.series),
        left_out=_left_out(table),
        downloads=_downloads(results, table, found),
        style=Markup(_asset("page.css")),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _headlines(rows: pd.DataFrame) -> Iterator[str]:
    """What one sweep found, on each machine where there are several."""
    sweep = rows["sweep"].iloc[0]
    if not hosts(rows):
        yield f"{sweep}: {finding(rows)}"
    for host in hosts(rows):
        yield f"{sweep}, {host}: {finding(rows[rows[HOST_COLUMN] == host])}"


def _asset(name: str) -> str:
    return (files("forwardbench.outputs.report") / name).read_text(encoding="utf-8")


def _series(table: pd.DataFrame) -> list[str]:
    """Every implementation, slowest first, and last those without a time."""
    own = table[~is_control(table)]
    timed = slowest_first(table)
    return [*timed, *sorted(set(own["implementation"]) - set(timed))]


def _sweep(rows: pd.DataFrame, drawn: Sequence[Drawn], shared: _Shared) -> dict[str, Any]:
    """One sweep's charts, in teaching order."""
    name = str(rows["sweep"].iloc[0])
    charts = [
        _chart(each, rows, shared, f"c{number}")
        for number, each in enumerate(drawn)
        if each.sweep == name
    ]
    return {"name": name, "about": about(rows), "charts": charts}


def _history(table: pd.DataFrame, drawn: Sequence[Drawn], shared: _Shared) -> list[dict[str, Any]]:
    """The chart over commits, if there is one, as a part of its own."""
    charts = [_chart(each, table, shared, "h") for each in drawn if each.kind == "history"]
    return [{"name": "commits", "about": "Over commits", "charts": charts}] if charts else []


def _chart(each: Drawn, rows: pd.DataFrame, shared: _Shared, prefix: str) -> dict[str, Any]:
    kind = {**KINDS, **OF_SOME}[each.kind]
    picture = embed(each.chart, prefix, shared.series, shared.styles)
    linear: Picture | None = None
    if each.kind in WITH_LINEAR and size_axis(each.sweep):
        linear = embed(
            draw(each.kind, rows, View(linear=True)), f"{prefix}l", shared.series, shared.styles
        )
    return {
        "question": kind.QUESTION,
        "title": each.chart.title,
        "help": kind.HELP,
        "notes": [*troubles(rows), caption(rows)],
        "definitions": picture.definitions + (linear.definitions if linear else Markup("")),
        "panels": picture.panels,
        "linear": linear.panels if linear else (),
        "shape": {"heatmap": "wide", "samples": "dense"}.get(each.kind, ""),
    }


def _reaches(table: pd.DataFrame) -> list[dict[str, Any]]:
    """From which size on each implementation beats the baseline, for sweeps along an axis."""
    parts = []
    for rows in settings(table):
        baseline = baseline_of(rows)
        timed = [name for name in slowest_first(rows) if name != baseline]
        if size_axis(str(rows["sweep"].iloc[0])) and timed:
            words = [(name, reach_words(reach(rows, name, baseline))) for name in timed]
            name = f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"
            parts.append({"name": name, "baseline": baseline, "rows": words})
    return parts


def _first_calls(found: pd.DataFrame) -> list[dict[str, str]]:
    """What first calls cost and when they are paid for, a line for each cell."""
    return [
        {
            "setting": f"{row['sweep']}, {name_setting(found.loc[[index]])}",
            "case": row["case"],
            "implementation": row["implementation"],
            "imported": format_seconds(row["import_seconds"]),
            "first": format_seconds(row["first"]),
            "interval": " to ".join(
                format_seconds(row[end]) for end in ("first_low", "first_high") if row[end] > 0
            ),
            "each": format_seconds(row["seconds"]),
            "against": format_seconds(row["against_seconds"]),
            "calls": calls_words(row) or row["reason"],
        }
        for index, row in found.iterrows()
    ]


def _left_out(table: pd.DataFrame) -> list[dict[str, str]]:
    """What has no time of its own or none to be believed, by implementation and reason."""
    own = table[~is_control(table) & (table["reason"] != "")]
    found = []
    keys = ["implementation", "status", "reason"]
    for (name, status, reason), rows in own.groupby(keys, sort=False):
        cases = ", ".join(
            f"{row['case']} ({', '.join([*hosts(rows.loc[[index]]), row['dtype']])})"
            for index, row in rows.iterrows()
        )
        said = (str(name), str(status), cases, str(reason))
        found.append(dict(zip(("implementation", "status", "cases", "reason"), said, strict=True)))
    return found


def _downloads(results: Results, table: pd.DataFrame, found: pd.DataFrame) -> list[dict[str, str]]:
    samples = results.samples.drop(columns=["low", "high"]).to_csv(index=False)
    texts = {
        "table.csv": ("every cell with its intervals", exports.FORMATS["csv"](results, table)),
        "samples.csv": ("every cell's time in every pass", samples),
        "results.json": (
            "all of it with where it was measured",
            _compact(exports.FORMATS["json"](results, table)),
        ),
    }
    if len(found):
        texts["break-even.csv"] = (
            "first calls, and after how many each pays",
            as_csv(found[BREAK_EVEN_COLUMNS]),
        )
    return [
        {
            "name": name,
            "what": what,
            "href": f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}",
        }
        for name, (what, text) in texts.items()
    ]


def _compact(document: str) -> str:
    """The same JSON in less room."""
    return json.dumps(json.loads(document), separators=(",", ":"))
