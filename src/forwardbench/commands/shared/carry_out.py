"""Carries out a run on this machine from beginning to end, and reports its progress.

The command `run` and the function `forwardbench.run` both use this module.
"""

from __future__ import annotations

from pathlib import Path

from forwardbench.commands.shared.exit_status import FAILED, INTERRUPTED
from forwardbench.commands.shared.progress import Progress, announce
from forwardbench.commands.shared.screen import say
from forwardbench.commands.shared.verdicts import is_bad, verdict_line
from forwardbench.measure.plan import Plan
from forwardbench.measure.request import (
    Request,
    left_out,
    make_request,
    named_one_by_one,
    with_effort,
)
from forwardbench.measure.run_folder import (
    RunFolder,
    claim_folder,
    default_path,
    resume_command,
    resume_folder,
)
from forwardbench.measure.run_options import RunOptions
from forwardbench.measure.session import cells_left, first_calls_left, measure, verify_and_plan


def begin(options: RunOptions) -> tuple[RunFolder, Request]:
    """Check the options, and make the folder of a new run."""
    request = make_request(options)
    path = default_path() if options.output is None else Path(options.output)
    folder = claim_folder(path, request)
    for line in left_out(options.implementations):
        say(f"Left out: {line}")
    if options.baseline is None and "implementations" in options.given:
        say(f"The baseline is {request.baseline}")
    return folder, request


def resume(path: str, options: RunOptions) -> tuple[RunFolder, Request]:
    """Open a run to continue it; only the options for how long to measure may change."""
    folder = resume_folder(Path(path), options)
    request = with_effort(folder.request, options)
    folder.change_request(request)
    for file in request.own_files.values():
        say(f"Running your file {file}")
    return folder, request


def carry_out(
    folder: RunFolder, request: Request, options: RunOptions, *, show: bool = True
) -> int:
    """Do everything that is left of a run, and return the exit status.

    It is a failure if an implementation that was given by its own name is unavailable. ``show``
    says whether the table is printed.
    """
    try:
        plan = verify_and_plan(folder, request, lambda verdict: say(verdict_line(verdict)))
    except KeyboardInterrupt:
        return _interrupted(folder, request)
    done = len(folder.finished_passes().numbers)
    if not plan.measured:
        say(f"Nothing is left to measure; why is in {folder.path}/run.json")
        return FAILED
    for line in announce(request, plan, done, first_calls_left(folder, request, plan)):
        say(line)
    interrupted = False
    with Progress(request.passes) as progress:
        try:
            measure(folder, request, plan, progress)
        except KeyboardInterrupt:
            interrupted = True
    try:
        status = _conclude(folder, request, show)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        return _interrupted(folder, request)
    _warn_of_time_limit(folder, request, plan)
    one_by_one = named_one_by_one(options.implementations)
    return FAILED if any(is_bad(verdict, one_by_one) for verdict in folder.verdicts) else status


def _conclude(folder: RunFolder, request: Request, show: bool) -> int:
    """Make table, charts and report of a run, print its findings, and say where the files are."""
    # Imported only now: pandas and Matplotlib are not needed while passes are measured.
    from forwardbench.commands.shared.presentation import formats_of, present

    path, finished = folder.path, len(folder.finished_passes().numbers)
    if finished < request.passes:
        say(f"The run ended after {finished} of {request.passes} passes")
    if not finished:
        say(f"No pass was finished; what was verified and planned is in {path}/run.json")
        return FAILED
    status = present(path, formats_of(request), show=show)
    return FAILED if folder.first_calls().failures else status


def _interrupted(folder: RunFolder, request: Request) -> int:
    say(f"forwardbench: interrupted; go on with: {resume_command(folder.path, request)}")
    return INTERRUPTED


def _warn_of_time_limit(folder: RunFolder, request: Request, plan: Plan) -> None:
    """Warn if the time limit came before the requested passes, precision or first calls."""
    with_more_time = resume_command(folder.path, request, "--max-time", "SECONDS")
    uncalled = len(first_calls_left(folder, request, plan))
    if uncalled and request.max_time is not None:
        say(
            f"Warning: {request.max_time:g} s were over before {uncalled} first calls were timed: "
            f"{with_more_time}"
        )
    left = cells_left(folder, request, plan)
    if left and request.max_time is not None:
        missing = "passes" if request.precision is None else f"the precision {request.precision:g}"
        say(
            f"Warning: {request.max_time:g} s were over before {left} of {len(plan.measured)} "
            f"cells had {missing}: {with_more_time}"
        )
