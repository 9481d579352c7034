"""`forwardbench run`: verifies, measures and shows the results, here or on a cluster's hosts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forwardbench.commands.shared.arguments import add_run_options, run_options
from forwardbench.commands.shared.exit_status import FAILED, INTERRUPTED
from forwardbench.commands.shared.screen import say
from forwardbench.errors import UserError

if TYPE_CHECKING:
    from forwardbench.cluster.hosts import ClusterOutcome
    from forwardbench.measure.request import Request
    from forwardbench.measure.run_options import RunOptions

HELP = "verify, measure, tabulate, chart and report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    add_run_options(parser)


def run(options: argparse.Namespace) -> int:
    """Make a run or continue one; the exit status says how it ended."""
    from forwardbench.commands.shared.carry_out import begin, carry_out, resume

    chosen = run_options(options)
    if chosen.insecure and chosen.scheduler is None:
        raise UserError("run --insecure is for --scheduler: name a scheduler, or leave it out")
    if chosen.scheduler is not None:
        return _run_on_hosts(chosen.scheduler, chosen)
    folder, request = begin(chosen) if chosen.resume is None else resume(chosen.resume, chosen)
    return carry_out(folder, request, chosen)


def _run_on_hosts(address: str, options: RunOptions) -> int:
    from forwardbench.cluster.hosts import run_on_hosts
    from forwardbench.measure.request import make_request

    request = make_request(options, here=False)
    return _conclude(run_on_hosts(address, options, say), request)


def _conclude(outcome: ClusterOutcome, request: Request) -> int:
    """Show the runs of all hosts side by side."""
    from forwardbench.commands.shared.presentation import formats_of, present, write_pages
    from forwardbench.results.several_machines import run_folders

    status = FAILED
    if outcome.folder is None:
        say("No run came back from any host")
    else:
        try:
            for folder in run_folders(outcome.folder):  # hosts send data, and no pages
                write_pages(folder, formats_of(request))
            status = present(outcome.folder, formats_of(request), show=True)
        except UserError as error:  # each host's run is still in the folder
            say(f"forwardbench: {error}; the runs are in {outcome.folder}")
    if outcome.interrupted:
        say("forwardbench: interrupted; what was started on the hosts was ended")
        return INTERRUPTED
    return status if outcome.succeeded else FAILED
