"""What is said before and while measuring, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from forwardbench.measure.passes import predicted_seconds
from forwardbench.measure.plan import Plan, Skipped
from forwardbench.measure.request import Request


def announce(request: Request, plan: Plan) -> Iterator[str]:
    """Say how much will be measured, how long it will take, and what is left out."""
    seconds = request.passes * predicted_seconds(plan.measured)
    yield (
        f"Measuring {len(plan.measured)} cells, controls included, in {request.passes} passes: "
        f"about {seconds:.0f} s"
    )
    beyond = [skipped for skipped in plan.skipped if skipped.status == "skipped"]
    groups: dict[tuple[str, str, str, int], list[Skipped]] = {}
    for skipped in beyond:
        cell = skipped.cell
        key = (cell.implementation, cell.sweep, cell.case.dtype, cell.threads)
        groups.setdefault(key, []).append(skipped)
    for (name, sweep, dtype, threads), group in groups.items():
        first, *more = sorted(group, key=lambda skipped: skipped.cell.case.multiply_adds)
        setting = [sweep]
        setting += [dtype] if len(request.dtypes) > 1 else []
        setting += [f"{threads} threads"] if len(request.threads) > 1 else []
        also = f" and {len(more)} larger" if more else ""
        place = f"{name} at {first.cell.case}{also} ({', '.join(setting)})"
        yield f"Not measured: {place}: {first.reason}"


class Progress:
    """A bar on a terminal; elsewhere one line for each pass."""

    def __init__(self, passes: int, cells: int, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._console = console
        self._passes = passes
        self.passes_done = 0
        self._bar: Bar | None = None
        if console.is_terminal:
            self._bar = Bar(
                TextColumn("pass {task.fields[number]} of " + str(passes)),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("cells, left:"),
                TimeRemainingColumn(),
                console=console,
                # Redrawn only when a cell is done: a clock of its own would cost CPU time
                # beside the measurement.
                auto_refresh=False,
            )
            self._task = self._bar.add_task("", total=passes * cells, number=1)

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

    def cell(self) -> None:
        """Count one cell."""
        if self._bar:
            self._bar.update(self._task, advance=1, refresh=True)

    def finished_pass(self, number: int) -> None:
        """Count one pass."""
        self.passes_done = number
        if self._bar:
            self._bar.update(self._task, number=min(number + 1, self._passes))
        else:
            self._console.print(f"Pass {number} of {self._passes} is done", highlight=False)
