"""What is printed on stderr before and during measuring."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from forwardbench import workloads
from forwardbench.commands.shared.console import SafeConsole
from forwardbench.commands.shared.screen import STDERR
from forwardbench.measure.passes import predicted_seconds
from forwardbench.measure.plan import Plan, Skipped
from forwardbench.measure.request import Request
from forwardbench.measure.session import Observer
from forwardbench.records import Cell

if TYPE_CHECKING:
    from rich.console import Console


def announce(
    request: Request, plan: Plan, done: int = 0, first_calls: Sequence[Cell] = ()
) -> Iterator[str]:
    """Yield lines on what will be measured, how long that takes, and what is left out.

    ``done`` is the number of finished passes. ``first_calls`` holds the cells whose first calls
    are still missing, one item for each call.
    """
    passes = "1 pass" if request.passes == 1 else f"{request.passes} passes"
    missing = max(0, request.passes - done)
    pass_seconds = predicted_seconds(plan.measured, request.visits)
    seconds = missing * pass_seconds
    if request.max_time is not None and missing:
        seconds = min(seconds, max(pass_seconds, request.max_time))  # one pass is made in any case
    already_done = f", of which {min(done, request.passes)} are done" if done else ""
    yield (
        f"Measuring {len(plan.measured)} cells, controls included, in {passes}{already_done}: "
        f"about {seconds:.0f} s"
    )
    if request.precision is not None:
        yield (
            f"Then cells with wider intervals than {request.precision:.2g} of their speedup again, "
            f"until none is left or {request.max_time:.0f} s are over"
        )
    if first_calls:
        yield _announce_first_calls(first_calls, plan, request.max_time)
    over_limit = [skipped for skipped in plan.skipped if skipped.status == "skipped"]
    groups: dict[tuple[str, str, str, int], list[Skipped]] = {}
    for skipped in over_limit:
        cell = skipped.cell
        key = (cell.implementation, cell.sweep, cell.case.dtype, cell.threads)
        groups.setdefault(key, []).append(skipped)
    for (name, sweep, dtype, threads), group in groups.items():
        multiply_adds = workloads.get(group[0].cell.workload).multiply_adds
        first, *more = sorted(group, key=lambda skipped: multiply_adds(skipped.cell.case))
        setting = [sweep]
        setting += [dtype] if len(request.dtypes) > 1 else []
        setting += [f"{threads} threads"] if len(request.threads) > 1 else []
        also = f" and {len(more)} larger" if more else ""
        place = f"{name} at {first.cell.case}{also} ({', '.join(setting)})"
        yield f"Not measured: {place}: {first.reason}"


def _announce_first_calls(first_calls: Sequence[Cell], plan: Plan, max_time: float | None) -> str:
    names = sorted({cell.implementation for cell in first_calls})
    known = [
        plan.starting_seconds[cell.implementation]
        for cell in first_calls
        if cell.implementation in plan.starting_seconds
    ]
    about = "about" if len(known) == len(first_calls) else "more than"
    limit = "" if max_time is None else f", as far as {max_time:.0f} s allow"
    return (
        f"Then {len(first_calls)} first calls of {', '.join(names)}, each in a fresh process: "
        f"{about} {sum(known):.0f} s{limit} (--first-calls 0 leaves them out)"
    )


class Progress(Observer):
    """Shows a progress bar on a terminal, or else one line for each pass."""

    def __init__(self, passes: int, console: Console | None = None) -> None:
        self._console = console or SafeConsole(STDERR, stderr=True)
        self._passes = passes
        self._bar: Bar | None = None
        self._last_refresh = 0.0
        self._first_calls = 0
        if self._console.is_terminal:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("left:"),
                TimeRemainingColumn(),
                console=self._console,
                # No refresh by a thread: that would cost CPU time during the measurement.
                auto_refresh=False,
            )
            self._task = self._bar.add_task(f"pass 1 of {passes}", total=None)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, number: int, visits: int) -> None:
        """Begin a pass with so many visits."""
        if self._bar:
            self._passes = max(self._passes, number)
            task = self._bar.tasks[0]
            left = (self._passes - number + 1) * visits
            self._bar.update(
                self._task,
                total=task.completed + left,
                description=f"pass {number} of {self._passes}",
            )

    def visit(self) -> None:
        """Count one visit; to save CPU time, the bar is drawn twice a second at most."""
        if self._bar:
            self._bar.update(self._task, advance=1)
            if time.monotonic() - self._last_refresh > 0.5:
                self._bar.refresh()
                self._last_refresh = time.monotonic()

    def end(self, number: int) -> None:
        """End a pass."""
        if self._bar:
            self._bar.refresh()
        else:
            more = "" if number <= self._passes else " (for precision)"
            of = f" of {self._passes}" if number <= self._passes else ""
            self._console.print(f"Pass {number}{of} is done{more}")

    def begin_first_calls(self, count: int) -> None:
        """Begin the first calls; the bar starts again."""
        self._first_calls = count
        if self._bar:
            self._bar.reset(self._task, total=count, description=f"{count} first calls")
            self._bar.refresh()

    def first_call(self) -> None:
        """Count one first call; each takes seconds, so the bar is drawn every time."""
        self._first_calls -= 1
        if self._bar:
            self._bar.update(self._task, advance=1, refresh=True)
        elif not self._first_calls:
            self._console.print("First calls are done")
