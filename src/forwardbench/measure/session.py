"""A run: verified and planned, then pass after pass and first calls, each kept as it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from forwardbench.errors import UserError
from forwardbench.measure import first_calls
from forwardbench.measure.passes import (
    STALL_SECONDS,
    PlannedCell,
    predicted_seconds,
    run_pass,
    write_pass,
)
from forwardbench.measure.plan import Plan, make_plan
from forwardbench.measure.precision import cells_to_repeat
from forwardbench.measure.request import Request
from forwardbench.measure.run_folder import RunFolder
from forwardbench.measure.threads import off_the_cpus_of
from forwardbench.measure.timing import visits_of
from forwardbench.processes import ChildError
from forwardbench.records import Cell, FirstCall
from forwardbench.verification.verify import Verdict, verify_all


class Observer:
    """Is told how a run goes on."""

    def begin(self, number: int, visits: int) -> None:
        """Pass ``number`` begins; it will have so many visits to cells."""

    def visit(self) -> None:
        """A cell was visited."""

    def end(self, number: int) -> None:
        """Pass ``number`` is finished and safe."""

    def begin_first_calls(self, count: int) -> None:
        """The passes are made; so many first calls are to be timed now."""

    def first_call(self) -> None:
        """A first call was timed and is safe, or failed."""


def verify_and_plan(
    folder: RunFolder, request: Request, on_verdict: Callable[[Verdict], None]
) -> Plan:
    """Verify the contenders and plan the run, unless that was done before it was interrupted.

    ``on_verdict`` is told of each contender as soon as it is verified.
    """
    if folder.is_planned:
        return folder.plan
    verdicts = {}
    start = time.monotonic()
    for verdict in verify_all(list(request.contenders.values()), workload=request.workload):
        verdicts[verdict.implementation] = verdict
        on_verdict(verdict)
    verified = time.monotonic()
    plan = make_plan(request, verdicts)
    spent = {"verification": verified - start, "planning": time.monotonic() - verified}
    folder.record_plan(verdicts, plan, spent)
    return plan


def measure(folder: RunFolder, request: Request, plan: Plan, observer: Observer) -> None:
    """Make the passes, which matter most, and time first calls in what is left of the time."""
    begun = time.monotonic()
    measure_passes(folder, request, plan, observer)
    limit = request.max_time
    left = None if limit is None else limit - (time.monotonic() - begun)
    measure_first_calls(folder, request, plan, observer, left)


def measure_passes(
    folder: RunFolder,
    request: Request,
    plan: Plan,
    observer: Observer | None = None,
    stall_seconds: float = STALL_SECONDS,
) -> None:
    """Measure the passes that are still missing.

    A cell that fails in one pass is left out of the next, and without cells there is no
    next. With a precision to reach, passes over the cells that need them follow.
    """
    observer = observer or Observer()
    for number, cells in _passes(folder, request, plan):
        observer.begin(number, sum(visits_of(each.seconds) for each in cells))
        with off_the_cpus_of(request.threads):
            result = run_pass(
                cells, f"{request.seed}/{number}", folder.origin, observer.visit, stall_seconds
            )
        try:
            write_pass(folder.path, number, result)
        except OSError as error:
            raise UserError(
                f"cannot write pass {number} into {folder.path}: {error.strerror}; the "
                f"{number - 1} passes before it are safe: forwardbench show {folder.path}"
            ) from None
        observer.end(number)
    folder.finish()


def measure_first_calls(
    folder: RunFolder,
    request: Request,
    plan: Plan,
    observer: Observer | None = None,
    seconds: float | None = None,
    time_first_call: Callable[[Cell], FirstCall] = first_calls.time_first_call,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Time the first calls that are still missing, one after another, and keep each at once.

    None is begun that would end later than ``seconds`` from now, if that is given. One that fails
    costs its own cell only, whose first call is not tried again.
    """
    observer = observer or Observer()
    missing = first_calls_left(folder, request, plan)
    if not missing:
        return
    made, begun = folder.first_calls(), clock()
    observer.begin_first_calls(len(missing))
    cells = _cells_to_call_first(folder, plan)
    with off_the_cpus_of(request.threads):
        for cell in first_calls.laps(cells, made, request.first_calls, request.seed):
            expected = plan.starting_seconds.get(cell.implementation, 0.0)
            if seconds is not None and clock() - begun + expected > seconds:
                break
            try:
                made.samples.setdefault(cell, []).append(time_first_call(cell))
            except ChildError as error:
                made.failures[cell] = str(error)
            try:
                folder.write_first_calls(made)
            except OSError as error:
                raise UserError(
                    f"cannot write first calls into {folder.path}: {error.strerror}; what was "
                    f"measured before is safe: forwardbench show {folder.path}"
                ) from None
            observer.first_call()
    folder.finish()


def first_calls_left(folder: RunFolder, request: Request, plan: Plan) -> list[Cell]:
    """The cells whose first calls are still to be timed, one item for each call."""
    cells = _cells_to_call_first(folder, plan)
    return first_calls.missing(cells, folder.first_calls(), request.first_calls)


def _cells_to_call_first(folder: RunFolder, plan: Plan) -> list[Cell]:
    """Those that compile; what failed in a pass is not worth it."""
    failed = folder.finished_passes().failures
    return [cell for cell in first_calls.compiling(plan.measured) if str(cell) not in failed]


def cells_left(folder: RunFolder, request: Request, plan: Plan) -> int:
    """How many cells still lack passes, or are not as precise as asked for."""
    done = folder.finished_passes()
    cells = [each for each in plan.measured if str(each.cell) not in done.failures]
    if len(done.numbers) < request.passes:
        return len(cells)
    if request.precision is None:
        return 0
    return len(cells_to_repeat(cells, done.samples, request.baseline, request.precision))


def _passes(
    folder: RunFolder, request: Request, plan: Plan
) -> Iterator[tuple[int, list[PlannedCell]]]:
    """Yield the number and the cells of each pass to make, in view of those that are there.

    A limit on time is on this session's passes; the first is made in any case.
    """
    before = folder.finished_passes()
    begun, spent_before = len(before.numbers), before.seconds
    while True:
        done = folder.finished_passes()
        number = len(done.numbers) + 1
        cells = [each for each in plan.measured if str(each.cell) not in done.failures]
        if number > request.passes:
            if request.precision is None:
                return
            cells = cells_to_repeat(cells, done.samples, request.baseline, request.precision)
        if not cells:
            return
        expected_end = done.seconds - spent_before + predicted_seconds(cells)
        made = len(done.numbers) > begun
        if made and request.max_time is not None and expected_end > request.max_time:
            return
        yield number, cells
