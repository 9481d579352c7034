"""`forwardbench report`: a run's page."""

from __future__ import annotations

import argparse

from forwardbench.commands.arguments import add_results
from forwardbench.commands.exit_status import GOOD
from forwardbench.commands.sources import beside, load_table, warnings_of, writing

HELP = "write a run's report, one page of HTML"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, and where the page goes."""
    add_results(parser)
    parser.add_argument(
        "--output", metavar="FILE", help="the page (default: report.html beside the results)"
    )
    parser.add_argument(
        "--charts", action="store_true", help="draw charts/ beside the results again too"
    )


def run(options: argparse.Namespace) -> int:
    """Write the page, and the charts where that was asked for."""
    from forwardbench.outputs import charts

    with charts.without_collecting():
        return _write_report(options)


def _write_report(options: argparse.Namespace) -> int:
    from forwardbench import results
    from forwardbench.analysis.break_even import break_evens
    from forwardbench.analysis.table import summarize
    from forwardbench.outputs import charts
    from forwardbench.outputs.report import write_report

    loaded, table = load_table(options)
    path = beside(options, "report.html")
    drawn = [*charts.draw_sweeps(table), *charts.draw_break_evens(break_evens(loaded, table))]
    commits = results.load_history(options.results)
    if len(commits) > 1:
        tables = [summarize(each, options.baseline) for each in commits]
        drawn.append(charts.draw_history(tables, commits[0].origin.facts.get("intervals", "")))
    write_report(path, loaded, table, warnings_of(options, loaded, table), drawn)
    print(f"Report: {path}")
    if options.charts:
        folder = path.parent / "charts"
        with writing(folder):
            files = [file for each in drawn for file in charts.save(each, folder)]
        print(f"Charts: {folder} ({len(files)} files)")
    return GOOD
