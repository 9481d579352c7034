"""`forwardbench show`: prints every cell of a run with its intervals."""

from __future__ import annotations

import argparse

from forwardbench.commands.shared.arguments import add_results
from forwardbench.commands.shared.exit_status import GOOD
from forwardbench.commands.shared.screen import say
from forwardbench.commands.shared.sources import load

HELP = "print the table of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the results."""
    add_results(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table, and warnings on stderr."""
    from forwardbench.commands.shared import terminal

    bundle = load(options)
    console = terminal.make_console()
    terminal.print_cells(bundle.table, bundle.evidence, console)
    terminal.print_break_evens(bundle.break_evens, console)
    for line in bundle.warnings:
        say(f"Warning: {line}")
    return GOOD
