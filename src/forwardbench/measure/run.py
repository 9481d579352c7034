"""A run: pass after pass into its folder, each kept as soon as it ends."""

from __future__ import annotations

from collections.abc import Iterator

from forwardbench.errors import UserError
from forwardbench.measure.folder import RunFolder
from forwardbench.measure.passes import (
    STALL_SECONDS,
    PlannedCell,
    predicted_seconds,
    run_pass,
    write_pass,
)
from forwardbench.measure.plan import Plan
from forwardbench.measure.precision import cells_to_repeat
from forwardbench.measure.request import Request
from forwardbench.measure.threads import off_the_cpus_of
from forwardbench.measure.timing import visits_of


class Observer:
    """Is told how a run goes on."""

    def begin(self, number: int, visits: int) -> None:
        """Pass ``number`` begins; it will have so many visits to cells."""

    def visit(self) -> None:
        """A cell was visited."""

    def end(self, number: int) -> None:
        """Pass ``number`` is finished and safe."""


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
