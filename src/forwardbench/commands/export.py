"""`forwardbench export`: a run's results for other tools."""

from __future__ import annotations

import argparse
from pathlib import Path

from forwardbench.commands.shared.arguments import add_output, add_results
from forwardbench.commands.shared.exit_status import GOOD
from forwardbench.commands.shared.screen import print_text, say
from forwardbench.commands.shared.sources import load
from forwardbench.outputs.catalogue import export_entries

HELP = "write a run's results for other tools"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, the format, and the output file."""
    add_results(parser)
    parser.add_argument(
        "--format",
        choices=[entry.name for entry in export_entries()],
        default="csv",
        help="what to write (default: csv)",
    )
    add_output(parser, "FILE", "where to (default: standard output)")


def run(options: argparse.Namespace) -> int:
    """Write the results to a file, whole or not at all, or to stdout."""
    from forwardbench.outputs.text import write_text

    (entry,) = [known for known in export_entries() if known.name == options.format]
    text = entry.load().write(load(options))
    if options.output is None:
        print_text(text)
        return GOOD
    write_text(Path(options.output), text, typed=True)
    say(f"Written: {options.output}")
    return GOOD
