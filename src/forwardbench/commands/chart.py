"""`forwardbench chart`: the charts of a run, drawn from its files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench.commands.arguments import add_results
from forwardbench.commands.exit_status import GOOD
from forwardbench.commands.sources import beside, load_table, writing
from forwardbench.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

    from forwardbench.outputs.charts import View
    from forwardbench.results import Results

HELP = "draw the charts of a run"
KINDS = ("time", "speedup", "cost", "heatmap", "samples", "break-even", "history")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, and which charts of them are drawn and how."""
    add_results(parser)
    add = parser.add_argument
    add(
        "--kind", choices=KINDS, action="append", default=[],
        help="which chart; repeatable (default: all that the results have)",
    )  # fmt: skip
    add(
        "--x", choices=("size", "batch", "multiply-adds"), default="size",
        help="what is along the horizontal axis (default: size, what grows in the sweep)",
    )  # fmt: skip
    add("--dark", action="store_true", help="for a dark background")
    add(
        "--format", metavar="LIST", default="svg,png",
        help="svg, png, pdf, separated by commas (default: svg,png)",
    )  # fmt: skip
    add("--output", metavar="DIR", help="a folder (default: charts/ beside the results)")


def run(options: argparse.Namespace) -> int:
    """Draw what was asked for, from the files of a run alone."""
    from forwardbench.outputs import charts

    formats = [name.strip() for name in options.format.split(",")]
    for name in formats:
        if name not in charts.FORMATS:
            raise UserError(f"no format {name!r}: choose from {', '.join(charts.FORMATS)}")
    loaded, table = load_table(options)
    folder = beside(options, "charts")
    view = charts.View(options.x, charts.DARK if options.dark else charts.LIGHT)
    kinds = [kind for kind in options.kind if kind in charts.KINDS]
    files: list[Path] = []
    with writing(folder), charts.without_collecting():
        if kinds or not options.kind:
            files += charts.draw_all(table, folder, kinds or tuple(charts.KINDS), formats, view)
        if "break-even" in options.kind or not options.kind:
            files += _draw_break_evens(options, loaded, table, folder, formats, view)
        if "history" in options.kind or not options.kind:
            files += _draw_history(options, folder, formats, view)
    print(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _draw_break_evens(
    options: argparse.Namespace,
    loaded: Results,
    table: DataFrame,
    folder: Path,
    formats: Sequence[str],
    view: View,
) -> list[Path]:
    """The charts of first calls, where there are any; asked for without them it is an error."""
    from forwardbench.analysis.break_even import AGAINST, break_evens
    from forwardbench.outputs import charts

    view = charts.View(theme=view.theme)  # along its axis are calls, whatever was asked for
    drawn = list(charts.draw_break_evens(break_evens(loaded, table), view))
    if not drawn and "break-even" in options.kind:
        raise UserError(
            f"{options.results} has no first call that could be held against {AGAINST}: measure "
            f"both with forwardbench run --first-calls 3 --implementation {AGAINST} "
            "--implementation NAME"
        )
    return [file for each in drawn for file in charts.save(each, folder, formats, view)]


def _draw_history(
    options: argparse.Namespace, folder: Path, formats: Sequence[str], view: View
) -> list[Path]:
    """The chart over commits, where there are several; asked for without them it is an error."""
    from forwardbench import results
    from forwardbench.analysis.table import summarize
    from forwardbench.outputs import charts

    commits = results.load_history(options.results)
    if len(commits) < 2:
        if "history" in options.kind:
            raise UserError(
                f"{options.results} has one commit only: a history needs asv's results of two, as "
                "asv run HEAD~1..HEAD makes them"
            )
        return []
    tables = [summarize(each, options.baseline) for each in commits]
    drawn = charts.draw_history(tables, commits[0].origin.facts.get("intervals", ""), view)
    return list(charts.save(drawn, folder, formats, view))
