"""`forwardbench show`: every cell of a run, with its intervals."""

from __future__ import annotations

import argparse
import sys

from forwardbench.commands.arguments import add_results
from forwardbench.commands.exit_status import GOOD
from forwardbench.commands.sources import load_table, warnings_of
from forwardbench.commands.stderr import say

HELP = "print the table of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results."""
    add_results(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table, and warnings on stderr."""
    from forwardbench.analysis.break_even import break_evens
    from forwardbench.commands import terminal

    loaded, table = load_table(options)
    terminal.print_cells(table, terminal.make_console())
    terminal.print_break_evens(break_evens(loaded, table), terminal.make_console())
    sys.stdout.flush()
    for line in warnings_of(options, loaded, table):
        say(f"Warning: {line}")
    return GOOD
