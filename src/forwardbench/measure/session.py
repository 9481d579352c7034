"""The stages of a run: verification, planning, passes, first calls. Each result is kept at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from forwardbench.errors import UserError, command_line
from forwardbench.measure import first_calls
from forwardbench.measure.passes import (
    STALL_SECONDS,
    PassResult,
    PlannedCell,
    Workers,
    predicted_seconds,
    run_pass,
    write_pass,
)
from forwardbench.measure.plan import Plan, make_plan
from forwardbench.measure.precision import cells_to_repeat
from forwardbench.measure.request import Request
from forwardbench.measure.run_folder import RunFolder
from forwardbench.measure.threads import keep_off_worker_cpus
from forwardbench.measure.timing import visits_of
from forwardbench.processes import ChildError
from forwardbench.records import Cell, FirstCall
from forwardbench.verification.verify import Verdict, verify_all


class Observer:
    """Is informed of the progress of a run."""

    def begin(self, number: int, visits: int) -> None:
        """Pass ``number`` begins; it has so many visits to cells."""

    def visit(self) -> None:
        """A cell was visited."""

    def end(self, number: int) -> None:
        """Pass ``number`` is finished and written."""

    def begin_first_calls(self, count: int) -> None:
        """The passes are done; so many first calls are timed now."""

    def first_call(self) -> None:
        """A first call was timed, or failed, and is written."""


def verify_and_plan(
    folder: RunFolder, request: Request, on_verdict: Callable[[Verdict], None]
) -> Plan:
    """Verify the contenders and plan the run; a plan that `run.json` already holds is kept.

    ``on_verdict`` is called with each verdict at once.
    """
    if folder.is_planned:
        return _verify_again(folder, request, on_verdict)
    verdicts = {}
    start = time.monotonic()
    for verdict in verify_all(list(request.contenders.values()), workload=request.workload):
        verdicts[verdict.implementation] = verdict
        on_verdict(verdict)
    verified = time.monotonic()
    plan = make_plan(request, verdicts)
    stage_seconds = {"verification": verified - start, "planning": time.monotonic() - verified}
    folder.record_plan(verdicts, plan, stage_seconds)
    return plan


def _verify_again(
    folder: RunFolder, request: Request, on_verdict: Callable[[Verdict], None]
) -> Plan:
    """Verify what the plan measures, and leave out what is not verified any more.

    The verdicts in `run.json` prove nothing, since the folder may come from elsewhere.
    """
    plan = folder.plan
    measured = {planned.cell.implementation for planned in plan.measured}
    references = [ref for name, ref in request.contenders.items() if name in measured]
    verdicts = {verdict.implementation: verdict for verdict in folder.verdicts}
    for verdict in verify_all(references, workload=request.workload):
        verdicts[verdict.implementation] = verdict
        on_verdict(verdict)
    plan = plan.without_unverified(verdicts)
    folder.record_plan(verdicts, plan)
    return plan


def measure(folder: RunFolder, request: Request, plan: Plan, observer: Observer) -> None:
    """Make the passes first, and time first calls in the time that is left."""
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

    A cell that fails in one pass is left out of the later ones. If no cell is left, no pass
    follows. With a precision to reach, more passes over the cells that need them follow.
    """
    observer = observer or Observer()
    with Workers(plan.measured) as workers:
        for number, cells in _passes(folder, request, plan):
            visits = sum(visits_of(planned.seconds, request.visits) for planned in cells)
            observer.begin(number, visits)
            with keep_off_worker_cpus(request.threads):
                result = run_pass(
                    cells, f"{request.seed}/{number}", folder.origin, observer.visit,
                    stall_seconds, request.visits, workers,
                )  # fmt: skip
            _keep(folder, number, result)
            observer.end(number)
    folder.finish()


def _keep(folder: RunFolder, number: int, result: PassResult) -> None:
    """Write a pass; raises `UserError`."""
    try:
        write_pass(folder.path, number, result)
    except OSError as error:
        raise UserError(
            f"cannot write pass {number} into {folder.path}: {error.strerror}; the "
            f"{number - 1} passes before it are safe: {command_line('show', folder.path)}"
        ) from None


def measure_first_calls(
    folder: RunFolder,
    request: Request,
    plan: Plan,
    observer: Observer | None = None,
    seconds: float | None = None,
    time_first_call: Callable[[Cell], FirstCall] = first_calls.time_first_call,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Time the missing first calls, one after another, and write each at once.

    If ``seconds`` is given, no call begins that would end later than that many seconds from now.
    If a first call fails, only its cell is affected; it is not tried again.
    """
    observer = observer or Observer()
    missing = first_calls_left(folder, request, plan)
    if not missing:
        return
    timed, begun = folder.first_calls(), clock()
    observer.begin_first_calls(len(missing))
    cells = _cells_to_call_first(folder, plan)
    with keep_off_worker_cpus(request.threads):
        for cell in first_calls.laps(cells, timed, request.first_calls, request.seed):
            expected = plan.starting_seconds.get(cell.implementation, 0.0)
            if seconds is not None and clock() - begun + expected > seconds:
                break
            try:
                timed.samples.setdefault(cell, []).append(time_first_call(cell))
            except ChildError as error:
                timed.failures[cell] = str(error)
            try:
                folder.write_first_calls(timed)
            except OSError as error:
                raise UserError(
                    f"cannot write first calls into {folder.path}: {error.strerror}; what was "
                    f"measured before is safe: {command_line('show', folder.path)}"
                ) from None
            observer.first_call()
    folder.finish()


def first_calls_left(folder: RunFolder, request: Request, plan: Plan) -> list[Cell]:
    """The cells whose first calls are still missing; one item for each call."""
    cells = _cells_to_call_first(folder, plan)
    return first_calls.missing(cells, folder.first_calls(), request.first_calls)


def _cells_to_call_first(folder: RunFolder, plan: Plan) -> list[Cell]:
    """The cells that compile, without those that failed in a pass."""
    failed = folder.finished_passes().failures
    return [
        cell for cell in first_calls.cells_that_compile(plan.measured) if str(cell) not in failed
    ]


def cells_left(folder: RunFolder, request: Request, plan: Plan) -> int:
    """The number of cells that still lack passes or the requested precision."""
    done = folder.finished_passes()
    cells = [planned for planned in plan.measured if str(planned.cell) not in done.failures]
    if len(done.numbers) < request.passes:
        return len(cells)
    if request.precision is None:
        return 0
    return len(cells_to_repeat(cells, done.samples, request.baseline, request.precision))


def _passes(
    folder: RunFolder, request: Request, plan: Plan
) -> Iterator[tuple[int, list[PlannedCell]]]:
    """Yield the number and the cells of each pass that is still to be made.

    The limit on time is for the passes of this session; the first one is made in any case.
    """
    earlier = folder.finished_passes()
    earlier_count, earlier_seconds = len(earlier.numbers), earlier.seconds
    while True:
        done = folder.finished_passes()
        number = len(done.numbers) + 1
        cells = [planned for planned in plan.measured if str(planned.cell) not in done.failures]
        if number > request.passes:
            if request.precision is None:
                return
            cells = cells_to_repeat(cells, done.samples, request.baseline, request.precision)
        if not cells:
            return
        expected_end = done.seconds - earlier_seconds + predicted_seconds(cells, request.visits)
        has_made_a_pass = len(done.numbers) > earlier_count
        if has_made_a_pass and request.max_time is not None and expected_end > request.max_time:
            return
        yield number, cells
