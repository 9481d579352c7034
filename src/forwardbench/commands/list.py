"""`forwardbench list`: the implementations, by family, and the sweeps."""

from __future__ import annotations

import argparse

from forwardbench import implementations, workloads
from forwardbench.commands.shared.exit_status import GOOD
from forwardbench.commands.shared.screen import print_line
from forwardbench.measure.run_options import DEFAULT_FAMILY

HELP = "name the implementations and the sweeps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments."""


def run(options: argparse.Namespace) -> int:
    """Print each family with its implementations, and what the unavailable ones need."""
    print_line("Implementations by family (run, verify: --implementation NAME, FAMILY or all)")
    print_line(f"A run measures the family {DEFAULT_FAMILY} unless it is told otherwise.")
    for family, names in implementations.families().items():
        print_line()
        print_line(f"{family:19}  {implementations.summary_of(family)}")
        for name in names:
            description = implementations.describe(name)
            print_line(f"  {name:17}  {description.summary}")
            if description.missing:
                print_line(f"  {'':17}  unavailable: {description.missing}")
    _list_sweeps()
    return GOOD


def _list_sweeps() -> None:
    """Print the sweeps, by workload if there are several."""
    names = workloads.names()
    for name in names:
        workload = workloads.get(name)
        of = f" of the workload {name} ({workload.summary})" if len(names) > 1 else ""
        print_line()
        print_line(f"Sweeps{of} (run: --sweep NAME)")
        for sweep in workload.sweeps.values():
            print_line(f"  {sweep.name:17}  {sweep.summary}: {len(sweep.cases)} cases")
