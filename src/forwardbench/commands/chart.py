"""`forwardbench chart`: the charts of a run, drawn from its files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench.commands.shared.arguments import add_output, add_results
from forwardbench.commands.shared.exit_status import GOOD
from forwardbench.commands.shared.screen import print_line
from forwardbench.commands.shared.sources import load, output_path, writing
from forwardbench.errors import UserError
from forwardbench.files import check_no_link, without_garbage_collection
from forwardbench.outputs.catalogue import chart_entries

if TYPE_CHECKING:
    from forwardbench.outputs.bundle import Bundle

HELP = "draw the charts of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, the choice of charts, and how they are drawn."""
    add_results(parser)
    add = parser.add_argument
    add(
        "--kind", choices=_kinds(), action="append", default=[],
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
    add_output(parser, "DIR", "a folder (default: charts/ beside the results)")


def _kinds() -> list[str]:
    """The kinds of charts that need no comparison."""
    return [entry.name for entry in chart_entries() if entry.needs != "comparison"]


def run(options: argparse.Namespace) -> int:
    """Draw the chosen charts from the files of a run."""
    from forwardbench.outputs import pictures
    from forwardbench.outputs.charts.drawing.view import DARK, LIGHT, View

    formats = [name.strip() for name in options.format.split(",")]
    for name in formats:
        if name not in pictures.FORMATS:
            raise UserError(f"no format {name!r}: choose from {', '.join(pictures.FORMATS)}")
    bundle = load(options)
    folder = output_path(options, "charts")
    if not options.output:
        check_no_link(folder)
    view = View(options.x, DARK if options.dark else LIGHT)
    _refuse_absent_kinds(options, bundle)
    files: list[Path] = []
    with writing(folder), without_garbage_collection():
        for drawn in pictures.draw_all(bundle, options.kind, view):
            files += pictures.save(drawn, folder, formats)
    print_line(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _refuse_absent_kinds(options: argparse.Namespace, bundle: Bundle) -> None:
    """Raise `UserError` if the results have no data for a chosen chart."""
    from forwardbench.outputs.bundle import PARTS

    for entry in chart_entries():
        lacking = entry.declared.get("LACKING")
        if (
            entry.name in options.kind
            and lacking
            and not any(True for _ in PARTS[entry.needs](bundle))
        ):
            raise UserError(f"{options.results} {lacking}")
