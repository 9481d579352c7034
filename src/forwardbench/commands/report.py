"""`forwardbench report`: writes the page of a run."""

from __future__ import annotations

import argparse

from forwardbench.commands.shared.arguments import add_output, add_results
from forwardbench.commands.shared.exit_status import GOOD
from forwardbench.commands.shared.screen import print_line
from forwardbench.commands.shared.sources import load, output_path, writing
from forwardbench.files import check_no_link, without_garbage_collection

HELP = "write a run's report, one page of HTML"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, the page's path, and whether charts are drawn."""
    add_results(parser)
    add_output(parser, "FILE", "the page (default: report.html beside the results)")
    parser.add_argument(
        "--charts", action="store_true", help="also draw charts/ beside the results again"
    )


def run(options: argparse.Namespace) -> int:
    """Write the page and, with ``--charts``, the charts."""
    from forwardbench.outputs import pictures
    from forwardbench.outputs.exports import html
    from forwardbench.outputs.text import write_text

    bundle = load(options)
    path = output_path(options, html.FILE)
    folder = path.parent / "charts"
    if options.charts:
        check_no_link(folder)
    with without_garbage_collection():
        write_text(path, html.write(bundle), typed=bool(options.output))
        print_line(f"Report: {path}")
        if options.charts:
            with writing(folder):
                files = pictures.save_all(pictures.pictures_of(bundle), folder)
            print_line(f"Charts: {folder} ({len(files)} files)")
    return GOOD
