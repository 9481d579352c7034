"""`forwardbench run`: verify, measure, and show what came of it; here, or on a cluster's hosts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forwardbench.commands.shared.arguments import add_run_options, run_options
from forwardbench.commands.shared.exit_status import FAILED, INTERRUPTED
from forwardbench.commands.shared.stderr import say
from forwardbench.errors import UserError

if TYPE_CHECKING:
    from forwardbench.cluster.hosts import CameBack
    from forwardbench.measure.request import Request
    from forwardbench.measure.run_options import RunOptions

HELP = "verify, measure, tabulate, chart and report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    add_run_options(parser)


def run(options: argparse.Namespace) -> int:
    """Make a run, or go on with one; the exit status says how it ended."""
    from forwardbench.commands.shared.carry_out import begin, carry_out, resume

    asked = run_options(options)
    if asked.scheduler is not None:
        return _run_on_hosts(asked.scheduler, asked)
    folder, request = begin(asked) if asked.resume is None else resume(asked.resume, asked)
    return carry_out(folder, request, asked)


def _run_on_hosts(address: str, asked: RunOptions) -> int:
    from forwardbench.cluster.hosts import run_on_hosts
    from forwardbench.measure.request import make_request

    request = make_request(asked, here=False)
    return _conclude(run_on_hosts(address, asked, say), request)


def _conclude(came_back: CameBack, request: Request) -> int:
    """Show the runs that came back from hosts, side by side."""
    from forwardbench.commands.shared.presentation import formats_of, present

    status = FAILED
    if came_back.folder is None:
        say("No run came back from any host")
    else:
        try:
            status = present(came_back.folder, formats_of(request), show=True)
        except UserError as error:  # each run is there all the same
            say(f"forwardbench: {error}; the runs are in {came_back.folder}")
    if came_back.interrupted:
        say("forwardbench: interrupted; what was started on the hosts was ended")
        return INTERRUPTED
    return status if came_back.all_well else FAILED
