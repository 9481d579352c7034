"""The report: one page that is made from results alone and works offline."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from forwardbench.analysis import claims
from forwardbench.analysis.break_even import AGAINST
from forwardbench.analysis.crossovers import Winner, reach, winners
from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.findings import (
    baseline_of,
    caption,
    describe_sweep,
    finding,
    hosts,
    name_setting,
    noise_sentence,
    problems,
    settings,
)
from forwardbench.analysis.first_call_findings import calls_words
from forwardbench.analysis.rows import is_control, size_axis, slowest_first
from forwardbench.analysis.selection import (
    WHERE,
    choice_words,
    evenly,
    is_large,
    some_first_calls,
)
from forwardbench.analysis.size_findings import reach_words, size_word
from forwardbench.outputs.bundle import Bundle, HistoryPart
from forwardbench.outputs.catalogue import Entry, export_entries
from forwardbench.outputs.pictures import Drawn, linear_picture_of, pictures_of
from forwardbench.outputs.report.cells import columns_of, list_rows
from forwardbench.outputs.report.svg import Picture, Styles, embed
from forwardbench.outputs.text import texts_of
from forwardbench.records import Status
from forwardbench.results import HOST
from forwardbench.units import format_seconds

_MOST_LINES = 200
"""Most lines of the table of what was left out."""
_MOST_NAMED = 40
"""Most cases in one of these lines."""
NO_CONTROLS = "Nothing was measured twice as a control, so no noise floor is known."


@dataclass(frozen=True)
class _Shared:
    """What all pictures of a page share."""

    series: list[str]
    """Implementations; the page refers to each by its index."""
    styles: Styles


def make_page(bundle: Bundle) -> str:
    """Make the page of a run as HTML; every text from a file is escaped."""
    table, evidence = bundle.table, bundle.evidence
    left_out, more_left_out = _left_out(table)
    first_calls, more_first_calls = _first_calls(bundle.break_evens)
    downloads, elsewhere = _downloads(bundle)
    shared = _Shared(_series(table), Styles())
    sweeps = [rows for _, rows in table.groupby(["workload", "sweep"], sort=False)]
    headlines = [line for rows in sweeps for line in _headlines(rows, evidence)]
    script = _asset("page.js")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _asset("page.html")
    )
    return template.render(
        headline=finding(sweeps[0], evidence),
        sentences=[f"{line}." for line in headlines[1:]] + [noise_sentence(table) or NO_CONTROLS],
        warnings=bundle.warnings,
        facts={"measured": caption(table), **bundle.results.origin.facts},
        series=shared.series,
        intervals=bundle.intervals,
        sections=_sections(bundle, shared),
        styles=shared.styles,
        reaches=_reaches(table, evidence),
        winners=_winners(table, evidence, bundle.listed),
        first_calls=first_calls,
        more_first_calls=more_first_calls,
        against=AGAINST,
        claims=claims.judge_claims(table, evidence),
        columns=columns_of(table),
        rows=list_rows(table, shared.series, bundle.listed),
        choice=choice_words(table, table.loc[bundle.listed]),
        left_out=left_out,
        more_left_out=more_left_out,
        downloads=downloads,
        elsewhere=elsewhere,
        style=Markup(_asset("page.css")),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _headlines(rows: pd.DataFrame, evidence: Evidence) -> Iterator[str]:
    """The finding of one sweep, for each machine if there are several."""
    sweep = rows["sweep"].iloc[0]
    if not hosts(rows):
        yield f"{sweep}: {finding(rows, evidence)}"
    for host in hosts(rows):
        yield f"{sweep}, {host}: {finding(rows[rows[HOST] == host], evidence)}"


def _asset(name: str) -> str:
    return (files("forwardbench.outputs.report") / name).read_text(encoding="utf-8")


def _series(table: pd.DataFrame) -> list[str]:
    """All implementations, slowest first, with those without a time at the end."""
    names = set(table.loc[~is_control(table), "implementation"])
    timed = slowest_first(table)
    return [*timed, *sorted(names - set(timed))]


def _sections(bundle: Bundle, shared: _Shared) -> list[dict[str, Any]]:
    """The charts in teaching order, with a section for each part of the bundle."""
    sections: dict[str, dict[str, Any]] = {}
    for number, drawn in enumerate(pictures_of(bundle)):
        part = drawn.part
        heading = "Over commits" if isinstance(part, HistoryPart) else describe_sweep(part.rows)
        section = sections.setdefault(
            part.name, {"name": part.name, "about": heading, "charts": []}
        )
        linear = linear_picture_of(bundle, drawn)
        section["charts"].append(_chart(drawn, linear, shared, f"c{number}"))
    return list(sections.values())


def _chart(
    drawn: Drawn, with_linear_axis: Drawn | None, shared: _Shared, prefix: str
) -> dict[str, Any]:
    """One chart with the texts around it."""
    declared, table = drawn.entry.declared, drawn.part.table
    picture = embed(drawn.chart, prefix, shared.series, shared.styles)
    linear: Picture | None = None
    if with_linear_axis is not None:
        linear = embed(with_linear_axis.chart, f"{prefix}l", shared.series, shared.styles)
    module = drawn.entry.load()
    return {
        "question": module.QUESTION,
        "title": drawn.chart.title,
        "help": module.HELP,
        "notes": [line for line in (drawn.part.choice, *problems(table), caption(table)) if line],
        "definitions": picture.definitions + (linear.definitions if linear else Markup("")),
        "panels": picture.panels,
        "linear": linear.panels if linear else (),
        "shape": declared.get("SHAPE", ""),
    }


def _reaches(table: pd.DataFrame, evidence: Evidence) -> list[dict[str, Any]]:
    """From which size on each implementation is faster than the baseline, for sweeps of sizes."""
    parts = []
    for rows in settings(table):
        baseline = baseline_of(rows)
        timed = [name for name in slowest_first(rows) if name != baseline]
        if size_axis(rows) and timed:
            word = size_word(rows)
            words = [
                (name, reach_words(reach(rows, evidence, name, baseline), word)) for name in timed
            ]
            name = f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"
            parts.append({"name": name, "baseline": baseline, "rows": words})
    return parts


def _winners(
    table: pd.DataFrame, evidence: Evidence, listed: Sequence[Hashable]
) -> list[tuple[str, Winner]]:
    """Who is fastest on each case that the page lists, by setting."""
    pairs = []
    for rows in settings(table):
        cases = set(rows.loc[rows.index.isin(listed), "case"])
        name = f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"
        pairs += [(name, each) for each in winners(rows, evidence) if each.case in cases]
    return pairs


def _first_calls(break_evens: pd.DataFrame) -> tuple[list[dict[str, str]], str]:
    """What first calls cost and after how many calls they pay, with a line for each cell.

    Also says how many lines there are, if not all cells have one.
    """
    shown, words = some_first_calls(break_evens)
    names = {
        index: f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"
        for rows in settings(break_evens)
        for index in rows.index
    }
    lines = [
        {
            "setting": names[index],
            "case": row["case"],
            "implementation": row["implementation"],
            "imported": format_seconds(row["import_seconds"]),
            "first": format_seconds(row["first"]),
            "interval": " to ".join(
                format_seconds(row[end]) for end in ("first_low", "first_high") if row[end] > 0
            ),
            "later": format_seconds(row["seconds"]),
            "against": format_seconds(row["against_seconds"]),
            "calls": calls_words(row) or row["reason"],
        }
        for index, row in shown.iterrows()
    ]
    return lines, words


def _left_out(table: pd.DataFrame) -> tuple[list[dict[str, str]], str]:
    """Cells with no measured or no credible time, by implementation, status and reason.

    Also says how many there are beyond the lines; what failed or was wrong has a line first.
    """
    left_out = table[~is_control(table) & (table["reason"] != "")]
    groups = list(left_out.groupby(["implementation", "status", "reason"], sort=False))
    too_slow = (Status.SKIPPED, Status.ESTIMATED)
    urgent = [number for number, (key, _) in enumerate(groups) if key[1] not in too_slow]
    kept = evenly(range(len(groups)), _MOST_LINES, urgent)
    lines = [
        {
            "implementation": str(name),
            "status": str(status),
            "cases": _name_cases(rows),
            "reason": str(reason),
        }
        for (name, status, reason), rows in (groups[number] for number in kept)
    ]
    named = {index for number in kept for index in groups[number][1].index}
    counts = left_out.loc[~left_out.index.isin(named), "status"].value_counts()
    others = [f"{count:,} {status}" for status, count in counts.items()]
    return lines, f"And {', '.join(others)}. {WHERE}" if others else ""


def _name_cases(rows: pd.DataFrame) -> str:
    """Name the cases of some rows, the first ones of many."""
    named = [
        f"{case} ({', '.join([*([str(host)] if host else []), dtype])})"
        for case, host, dtype in zip(
            rows["case"], rows[HOST], rows["dtype"].astype(str), strict=True
        )
    ]
    more = [f"and {len(named) - _MOST_NAMED:,} more"] if len(named) > _MOST_NAMED else []
    return ", ".join([*named[:_MOST_NAMED], *more])


def _downloads(bundle: Bundle) -> tuple[list[dict[str, str]], str]:
    """The files that the page offers for download, as links that contain the files.

    Those of a large run would make the page ten times as large. Then there are none, but words
    that say where they are.
    """
    if is_large(bundle.table):
        beside = ["table.csv lies beside this page in the run's folder."] if bundle.run else []
        exports = ", ".join(
            f"{entry.declared['FILE']} ({entry.declared['SUMMARY']}) with --format {entry.name}"
            for entry in export_entries()
            if entry.declared.get("OFFERED")
        )
        words = [*beside, "From the results, forwardbench export writes", f"{exports}."]
        return [], " ".join(words)
    downloads = [
        {
            "name": entry.declared["FILE"],
            "what": entry.declared["SUMMARY"],
            "href": f"data:text/plain;base64,{_encode(entry, text)}",
        }
        for entry, text in texts_of(bundle, "OFFERED")
    ]
    return downloads, ""


def _encode(entry: Entry, text: str) -> str:
    """A file in base64; JSON is written without blanks, to save space."""
    if entry.declared["FILE"].endswith(".json"):
        text = json.dumps(json.loads(text), separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()
