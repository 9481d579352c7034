"""`forwardbench export`: a run's results for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from forwardbench.commands.arguments import add_results
from forwardbench.commands.exit_status import GOOD
from forwardbench.commands.sources import load_table, writing
from forwardbench.commands.stderr import say

HELP = "write a run's results for other tools"
FORMATS = ("csv", "markdown", "json", "github-action-benchmark", "pyperf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results, the format, and where they go."""
    add_results(parser)
    parser.add_argument(
        "--format", choices=FORMATS, default="csv", help="what to write (default: csv)"
    )
    parser.add_argument("--output", metavar="FILE", help="where to (default: standard output)")


def run(options: argparse.Namespace) -> int:
    """Write the results to a file, whole or not at all, or to stdout."""
    from forwardbench.files import write_whole
    from forwardbench.outputs import exports

    text = exports.FORMATS[options.format](*load_table(options))
    if options.output is None:
        sys.stdout.write(text)
        return GOOD
    with writing(Path(options.output)):
        write_whole(Path(options.output), text)
    say(f"Written: {options.output}")
    return GOOD
