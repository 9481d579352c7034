"""What a run ends with: table, charts and report beside its results, and where they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forwardbench import results
from forwardbench.analysis.break_even import COLUMNS, break_evens
from forwardbench.analysis.rows import is_credible
from forwardbench.analysis.table import summarize
from forwardbench.analysis.warnings import doubts_of
from forwardbench.commands import terminal
from forwardbench.commands.exit_status import FAILED, GOOD
from forwardbench.commands.stderr import say
from forwardbench.measure.request import Request
from forwardbench.outputs.charts import draw_break_evens, draw_sweeps, save, without_collecting
from forwardbench.outputs.exports.tidy_csv import write_csv, write_table
from forwardbench.outputs.report import write_report
from forwardbench.statistics.intervals import FEWEST_PASSES


def formats_of(request: Request) -> tuple[str, ...]:
    """Formats of the charts that a run ends with.

    A first look has to be quick: its other pictures are made by `forwardbench chart` when wanted.
    """
    return ("svg",) if request.passes < FEWEST_PASSES else ("svg", "png")


def present(path: Path, formats: tuple[str, ...], *, show: bool) -> int:
    """Make table, charts and report beside results, and say what was found and where it is."""
    loaded = results.load(path)
    table = summarize(loaded)
    write_table(table, path / "table.csv")
    found = break_evens(loaded, table)
    if len(found):
        write_csv(found[COLUMNS], path / "break-even.csv")
    if show:
        terminal.print_summary(table, terminal.make_console())
        terminal.print_break_evens(found, terminal.make_console())
    warnings = doubts_of(loaded, table, path)
    with without_collecting():
        drawn = [*draw_sweeps(table), *draw_break_evens(found)]
        files = [file for each in drawn for file in save(each, path / "charts", formats)]
        write_report(path / "report.html", loaded, table, warnings, drawn)
    if show:
        print(f"Report: {path}/report.html (open it in a browser; it needs no network)")
        print(f"Charts: {path}/charts ({len(files)} files)")
        print(f"Table:  {path}/table.csv")
        print(f"Every cell with its interval: forwardbench show {path}", flush=True)
    for line in warnings:
        say(f"Warning: {line}")
    return FAILED if _has_bad_cells(table) else GOOD


def _has_bad_cells(table: pd.DataFrame) -> bool:
    measured = table["status"] == "measured"
    bad = table["status"].isin(["failed", "rejected"]) | (measured & ~is_credible(table))
    return bool(bad.any())
