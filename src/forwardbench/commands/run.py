"""The main job: verify, announce, measure, then table, charts and report.

The command `run` and `forwardbench.run` are both this.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench import implementations
from forwardbench.commands.exit_status import FAILED, GOOD, INTERRUPTED
from forwardbench.commands.progress import Progress, announce
from forwardbench.errors import UserError
from forwardbench.measure.plan import Plan, make_plan
from forwardbench.measure.request import Request, make_request, with_effort
from forwardbench.measure.run_folder import RunFolder, claim_folder, resume_folder
from forwardbench.measure.session import (
    cells_left,
    first_calls_left,
    measure_first_calls,
    measure_passes,
)
from forwardbench.records import Status
from forwardbench.statistics.intervals import FEWEST_PASSES
from forwardbench.verification.verify import Verdict, verify_all

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Wish:
    """What a run is asked for; what is not given has a default."""

    sweeps: Sequence[str] = ()
    shapes: Sequence[str] = ()
    implementations: Sequence[str] = ()
    baseline: str | None = None
    dtypes: Sequence[str] = ()
    threads: Sequence[str] = ()
    passes: int | None = None
    limit: float | None = None
    precision: float | None = None
    max_time: float | None = None
    first_calls: int | None = None
    quick: bool = False
    output: str | None = None

    def __post_init__(self) -> None:
        for name in ("passes", "first_calls"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not whole:
                raise UserError(f"{name} is a whole number, not {value!r}")
        for name in ("limit", "precision", "max_time"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, int | float):
                raise UserError(f"{name} is a number, not {value!r}")


def texts(name: str, values: Sequence[object]) -> list[str]:
    """Each value as a text; raises `UserError` for a text in place of a list of them."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UserError(f"{name} is a list: write {name}=[{values!r}]")
    return [str(value) for value in values]


def say(line: str) -> None:
    """Tell people something that is no data."""
    print(line, file=sys.stderr, flush=True)


def check(wish: Wish, *, here: bool = True) -> Request:
    """Check what is asked for, of this machine or (not ``here``) of others; raises `UserError`."""
    quick = wish.quick
    return make_request(
        sweeps=wish.sweeps,
        shapes=wish.shapes,
        chosen=wish.implementations,
        baseline=wish.baseline,
        dtypes=wish.dtypes,
        threads=wish.threads,
        passes=(3 if quick else 10) if wish.passes is None else wish.passes,
        limit=(0.05 if quick else 1.0) if wish.limit is None else wish.limit,
        precision=wish.precision,
        max_time=wish.max_time,
        first_calls=(0 if quick else 3) if wish.first_calls is None else wish.first_calls,
        here=here,
    )


def default_folder() -> Path:
    """Where a run goes that is not told where to go."""
    return Path(f"results/run-{datetime.now():%Y%m%d-%H%M%S}")


def begin(wish: Wish) -> tuple[RunFolder, Request]:
    """Check what is asked for, and make a new run's folder."""
    request = check(wish)
    folder = claim_folder(default_folder() if wish.output is None else Path(wish.output), request)
    left_out = sorted(set(implementations.names()) - {*request.contenders})
    if left_out and not wish.implementations:
        say(f"Left out for want of what they need (forwardbench list): {', '.join(left_out)}")
    if wish.baseline is None and wish.implementations:
        say(f"The baseline is {request.baseline}")
    return folder, request


def resume(path: str, wish: Wish) -> tuple[RunFolder, Request]:
    """Take up a run again; of what was asked for only how long to measure may change."""
    folder = resume_folder(Path(path))
    request = with_effort(
        folder.request, wish.passes, wish.precision, wish.max_time, wish.first_calls
    )
    folder.change_request(request)
    return folder, request


def carry_out(
    folder: RunFolder, request: Request, asked_for: Sequence[str], *, show: bool = True
) -> int:
    """Do what is left of a run, and return the exit status.

    ``asked_for`` are the implementations that were named, whose absence is then a failure;
    ``show`` says whether the table is printed.
    """
    try:
        plan = _plan(folder, request)
    except KeyboardInterrupt:
        return _interrupted(folder)
    done = len(folder.finished_passes().numbers)
    if not plan.measured:
        say(f"Nothing is left to measure; why is in {folder.path}/run.json")
        return FAILED
    for line in announce(request, plan, done, first_calls_left(folder, request, plan)):
        say(line)
    interrupted = False
    with Progress(request.passes) as progress:
        try:
            _measure(folder, request, plan, progress)
        except KeyboardInterrupt:
            interrupted = True
    try:
        status = _conclude(folder, request, show)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        return _interrupted(folder)
    _say_what_is_left(folder, request, plan)
    bad = any(is_bad(verdict, asked_for) for verdict in folder.verdicts)
    return FAILED if bad else status


def _measure(folder: RunFolder, request: Request, plan: Plan, progress: Progress) -> None:
    """Make the passes, which matter most, and time first calls in what is left of the time."""
    begun = time.monotonic()
    measure_passes(folder, request, plan, progress)
    limit = request.max_time
    left = None if limit is None else limit - (time.monotonic() - begun)
    measure_first_calls(folder, request, plan, progress, left)


def _plan(folder: RunFolder, request: Request) -> Plan:
    """Verify and plan, unless that was done before the run was interrupted."""
    if folder.is_planned:
        return folder.plan
    verdicts = {}
    start = time.monotonic()
    for verdict in verify_all(list(request.contenders.values())):
        verdicts[verdict.implementation] = verdict
        say(verdict_line(verdict))
    verified = time.monotonic()
    plan = make_plan(request, verdicts)
    spent = {"verification": verified - start, "planning": time.monotonic() - verified}
    folder.record_plan(verdicts, plan, spent)
    return plan


def verdict_line(verdict: Verdict) -> str:
    """What verification found of one implementation."""
    if verdict.status == "verified":
        found = f"{verdict.checks} checks, errors at most {verdict.share:.0%} of their bounds"
    else:
        found = verdict.reason
    return f"{verdict.implementation:17}  {verdict.status:11}  {found}"


def is_bad(verdict: Verdict, asked_for: Sequence[str]) -> bool:
    """Tell trouble from a framework that is not installed and was not asked for by name."""
    return verdict.status in ("failed", "rejected") or (
        verdict.status == "unavailable" and bool(asked_for)
    )


def _conclude(folder: RunFolder, request: Request, show: bool) -> int:
    """Make table, charts and report of a run, print what it found, and say where it is."""
    path, finished = folder.path, len(folder.finished_passes().numbers)
    if finished < request.passes:
        say(f"The run ended after {finished} of {request.passes} passes")
    if not finished:
        say(f"No pass was finished; what was verified and planned is in {path}/run.json")
        return FAILED
    status = present(path, pictures_of(request), show=show)
    return FAILED if folder.first_calls().failures else status


def pictures_of(request: Request) -> tuple[str, ...]:
    """Formats of the charts that a run ends with.

    A first look has to be quick: its other pictures are made by `forwardbench chart` when wanted.
    """
    return ("svg",) if request.passes < FEWEST_PASSES else ("svg", "png")


def present(path: Path, formats: Sequence[str], *, show: bool) -> int:
    """Make table, charts and report beside results, and say what was found and where it is."""
    # Imported only now: pandas and Matplotlib are not needed while passes are measured.
    from forwardbench.commands import terminal
    from forwardbench.outputs import bundle as bundles
    from forwardbench.outputs import pictures
    from forwardbench.outputs.text import write_kept

    bundle = bundles.load(path)
    if show:
        console = terminal.make_console()
        terminal.print_summary(bundle.table, bundle.evidence, console)
        terminal.print_break_evens(bundle.break_evens, console)
    with pictures.without_garbage_collection():
        write_kept(bundle, path)
        drawn = pictures.pictures_of(bundle)
        files = [file for each in drawn for file in pictures.save(each, path / "charts", formats)]
    if show:
        print(f"Report: {path}/report.html (open it in a browser; it needs no network)")
        print(f"Charts: {path}/charts ({len(files)} files)")
        print(f"Table:  {path}/table.csv")
        print(f"Every cell with its interval: forwardbench show {path}", flush=True)
    for line in bundle.warnings:
        say(f"Warning: {line}")
    return FAILED if _has_bad_cells(bundle.table) else GOOD


def _has_bad_cells(table: DataFrame) -> bool:
    """Whether a cell has no time because something is wrong, or one that is not believed."""
    from forwardbench.analysis.rows import is_doubted

    return bool((table["status"].isin([Status.FAILED, Status.REJECTED]) | is_doubted(table)).any())


def _interrupted(folder: RunFolder) -> int:
    say(f"forwardbench: interrupted; go on with: forwardbench run --resume {folder.path}")
    return INTERRUPTED


def _say_what_is_left(folder: RunFolder, request: Request, plan: Plan) -> None:
    """Where the time was up before the passes or the precision asked for, say so."""
    uncalled = len(first_calls_left(folder, request, plan))
    if uncalled and request.max_time is not None:
        say(
            f"Warning: {request.max_time:g} s were over before {uncalled} first calls were timed: "
            f"forwardbench run --resume {folder.path} --max-time SECONDS"
        )
    left = cells_left(folder, request, plan)
    if left and request.max_time is not None:
        wanted = "passes" if request.precision is None else f"the precision {request.precision:g}"
        say(
            f"Warning: {request.max_time:g} s were over before {left} of {len(plan.measured)} "
            f"cells had {wanted}: forwardbench run --resume {folder.path} --max-time SECONDS"
        )
