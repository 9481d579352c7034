"""How one cell is timed: its calls are clocked in the contender's process, and judged in this one.

A cell has a process that computes nothing else, forked from one in which nothing was computed. So
its time cannot depend on the other cells of a run. It is timed in visits. Before the rounds of a
visit, its inputs get new numbers, which nobody knew before. What comes back is plain numbers: the
readings of the contender's clock, which have to fill the time that passes here, and the last
result, which is compared here.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from forwardbench import workloads
from forwardbench.measure import suspicion
from forwardbench.measure.calm import MOST_REPEATS, Calm, less_disturbed
from forwardbench.measure.inputs import draw_changes, expected_of, inputs_of
from forwardbench.processes import ChildError
from forwardbench.processes.awake import Keepers
from forwardbench.verification.check import Accuracy, WrongResultError, check_result
from forwardbench.verification.contender import (
    UNFINISHED,
    Beginning,
    Contender,
    ContenderFailedError,
    Rounds,
)
from forwardbench.verification.upbringing import compiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forwardbench.records import Cell

    Array = NDArray[np.floating]

VISITS = 3
"""A cell is timed at so many moments of a pass, by default.

Bursts of other work on the machine often last longer than a visit. With several visits, a burst
spoils only few of a cell's rounds and hardly moves their median (docs/method.md has figures).
"""
VISIT_SECONDS = 5e-3
"""The rounds of one visit take about this time."""
MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
SLOW_SECONDS = 0.08
"""If a call in each visit would take longer than this, there are fewer, but at least one."""
FAST_SECONDS = 0.02
"""A call of this length or shorter is made once before each visit, for the caches."""
WARM_SECONDS = 0.05
"""A call of this length warms itself up: what a first call costs more does not show in it."""
UNEXPECTED = 1.5
"""A first call that takes so many times as long as expected was not warm after all."""
SMALL_BYTES = 2**18
"""The time of larger cases depends on where their arrays lie in memory. So they get a new process
after `PLACE_VISITS` visits, and the median covers several places."""
PLACE_VISITS = 2
SLOW_PREPARATION_SECONDS = 0.02
"""A large case that takes longer to prepare, as with a compiler, is still prepared only once."""
_FIRST_CHANGE = 0, 0.5
"""The change of the numbers that are not timed, see `draw_changes`."""
_CONFIRMATIONS = 8
"""So many more visits are made before a suspicion is believed."""
_MOST_ITERATIONS = 10**6
"""Even the fastest call needs fewer iterations to fill a round."""


def visits_of(seconds: float, most: int = VISITS) -> int:
    """How often a cell is visited in a pass if a call takes ``seconds``; ``most`` at most."""
    return max(1, min(most, int(SLOW_SECONDS / seconds)))


@dataclass
class _Prepared:
    """A cell's process that is ready to be called."""

    contender: Contender
    inputs: Beginning
    warming: list[float] = field(default_factory=list)
    """Seconds of the calls since the last visit that are not timed."""
    first_seconds: float = 0.0
    """Of the first of them in this process."""
    copies: list[int] = field(default_factory=list)
    """The numbers of the data of each round."""
    warm: bool = False
    """Whether a call was made."""
    visits: int = 0


@dataclass
class _Progress:
    """What is known of a cell from its earlier visits in a pass."""

    iterations: int = 0
    """Calls in a round; 0 before the first visit."""
    rounds: int = 1
    """Rounds in a visit."""
    visits: int = 0
    renewals: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    """How often its inputs got new numbers: in rounds whose result is not judged, and is."""
    change: tuple[int, float] = (0, 1.0)
    """The change of the last round's numbers, see `draw_changes`."""
    evidence: suspicion.Evidence = field(default_factory=suspicion.Evidence)


@dataclass
class Visit:
    """The times of one visit."""

    seconds: list[float]
    """Seconds a call, for each round."""
    iterations: int
    warming_seconds: float
    """Of the calls before it that are not timed."""
    timed_seconds: float
    timed_cpu_seconds: float
    lost: float
    """Share of the rounds' time that was lost to other processes."""
    accuracy: Accuracy | None = None
    """How accurate the last result was; known after the last visit."""


class Judge:
    """Times the cells of one worker, and judges their results."""

    def __init__(
        self,
        start: Callable[[Cell], Contender],
        clock: Callable[[], float] = time.perf_counter,
        seed: int | None = None,
        keepers: Keepers | None = None,
    ) -> None:
        self._start, self._clock = start, clock
        self._keepers = keepers or Keepers(())
        """They keep the contenders' CPUs awake, but not while rounds are made."""
        self.seed = secrets.randbits(32) if seed is None else seed
        """Draws the numbers of all inputs of a pass; stored with it afterwards."""
        self._kept: dict[Cell, _Prepared] = {}
        """Processes that are kept for their next visit."""
        self._started: dict[Cell, Contender] = {}
        """The process of the cell that is visited next, getting ready; empty if it is not known."""
        self._progress: dict[Cell, _Progress] = {}
        self._following: Cell | None = None
        self._ran_on: dict[tuple[str, int], dict[str, Any]] = {}
        self.calm = Calm()

    def close(self) -> None:
        """End all processes that are still there."""
        kept = (prepared.contender for prepared in self._kept.values())
        for contender in (*kept, *self._started.values()):
            contender.end()
        self._kept.clear()
        self._started.clear()

    def visit(
        self, cell: Cell, seconds: float, *, last: bool, following: Cell | None = None
    ) -> Visit:
        """Time a cell once; ``seconds`` is the expected time of a call.

        ``following`` is visited next. Its process gets ready while the result of this one is
        judged. Raises `WrongResultError`, and `ContenderFailedError` if the contender raises or
        dies.
        """
        self._following = following
        prepared = self._kept.pop(cell, None) or self._prepare(cell)
        keeps = False
        try:
            visit = self._visit(cell, prepared, seconds, last)
            prepared.visits += 1
            preparing_seconds = sum(prepared.inputs.preparing) + prepared.first_seconds
            slow_to_prepare = preparing_seconds > median(visit.seconds) + SLOW_PREPARATION_SECONDS
            small = workloads.get(cell.workload).bytes(cell.case) <= SMALL_BYTES
            keeps = not last and (small or slow_to_prepare or prepared.visits < PLACE_VISITS)
        finally:
            if not keeps:
                prepared.contender.end()
        self._kept.update({cell: prepared} if keeps else {})
        return visit

    def ran_on(self, cell: Cell) -> dict[str, Any]:
        """CPUs and threads of a cell's process."""
        return self._ran_on[cell.reference, cell.threads]

    # --- one visit -------------------------------------------------------------------------

    def _visit(self, cell: Cell, prepared: _Prepared, seconds: float, last: bool) -> Visit:
        progress = self._progress.setdefault(cell, _Progress())
        self._warm_up(cell, prepared, progress, seconds)
        self._make_copies(prepared, progress.rounds)
        rounds, cpu_seconds = self._clocked(cell, prepared, progress, read=last)
        if not prepared.warm and rounds.seconds[0] > UNEXPECTED * seconds:
            prepared.warming += rounds.seconds
            rounds, cpu_seconds = self._clocked(cell, prepared, progress, read=last)
        prepared.warm = True
        if not prepared.visits:
            prepared.first_seconds = prepared.warming[0] if prepared.warming else 0.0
            progress.evidence.preparing_blind += prepared.inputs.preparing_blind
        rounds, cpu_seconds = self._repeat_lost(cell, prepared, progress, rounds, cpu_seconds, last)
        progress.visits += 1
        timed_seconds = sum(rounds.seconds)
        visit = Visit(
            [round_seconds / progress.iterations for round_seconds in rounds.seconds],
            progress.iterations, sum(prepared.warming), timed_seconds, cpu_seconds,
            max(0.0, 1 - cpu_seconds / max(timed_seconds, 1e-9)),
        )  # fmt: skip
        prepared.warming.clear()
        if last:
            visit.accuracy = self._judge(cell, prepared, progress, visit, rounds)
        return visit

    def _judge(
        self, cell: Cell, prepared: _Prepared, progress: _Progress, visit: Visit, rounds: Rounds
    ) -> Accuracy:
        """Judge a cell after its last visit; raises `WrongResultError`."""
        contender, evidence = prepared.contender, progress.evidence
        if not rounds.held:
            raise WrongResultError(f"{cell.case}: {UNFINISHED}")
        change, shortest = progress.change, min(visit.seconds)
        for _ in range(1 + _CONFIRMATIONS):
            if not rounds.plain:
                reading = contender.reading(prepared.inputs.network, prepared.copies[:3])
                evidence.readings.append(reading)
            if not any(suspicion.signs(cell, evidence, shortest)):
                break
            self._clocked(cell, prepared, progress, read=False)
        suspicion.check_times(cell, evidence, shortest)
        contender.check_cpus()
        # The last thing that is asked of it. From here on, its code cannot change anything.
        key = cell.reference, cell.threads
        if key not in self._ran_on:
            self._ran_on[key] = contender.ran_on()
        contender.end()
        self._get_following_ready()
        few, nearly = expected_of(contender.workload, cell.case, change, self.seed)
        accuracy = check_result(rounds.arrays, cell.case, few)
        if nearly:
            check_result(rounds.arrays, cell.case, nearly)
        return accuracy

    def _prepare(self, cell: Cell) -> _Prepared:
        """Start a cell's process, with its inputs prepared."""
        contender = self._started.pop(cell, None) or self._start(cell)
        try:
            inputs = inputs_of(contender.workload, cell.case)
            return _Prepared(contender, contender.begin(inputs, _FIRST_CHANGE))
        except BaseException:
            contender.end()
            raise

    def _get_following_ready(self) -> None:
        """Start the process of the cell that is visited next, without waiting for it."""
        cell, self._following = self._following, None
        if cell is not None and cell not in self._kept:
            # What is wrong with it shows again when its turn comes.
            with suppress(ContenderFailedError, ChildError):
                self._started[cell] = self._start(cell)

    def _warm_up(
        self, cell: Cell, prepared: _Prepared, progress: _Progress, seconds: float
    ) -> None:
        """Make calls that are not timed, and choose the rounds if this is the first visit.

        A slow call that compiles nothing is not warmed up, and a call of many visits each time:
        that brings its arrays into the caches.
        """
        slow = seconds > WARM_SECONDS and not compiles(cell.reference)
        if not slow and (not prepared.warm or seconds <= FAST_SECONDS):
            inputs = prepared.inputs
            prepared.contender.call_untimed(inputs.network, inputs.untimed, prepared.warming)
            prepared.warm = True
        if not progress.iterations:
            progress.iterations = 1
            if seconds <= VISIT_SECONDS:
                progress.iterations = max(1, math.ceil(1.1 * MIN_ROUND_SECONDS / seconds))
                self._choose_rounds(prepared, progress)

    def _choose_rounds(self, prepared: _Prepared, progress: _Progress) -> None:
        """Choose the rounds of a cell from the time that its calls take.

        A round is as many calls as take `MIN_ROUND_SECONDS`. A visit is as many rounds as take
        `VISIT_SECONDS`. A call that takes longer than a visit is one round.
        """
        while True:
            round_seconds = self._untimed(prepared, progress.iterations)
            if round_seconds >= MIN_ROUND_SECONDS:
                break
            # Aim a little higher than needed, but grow tenfold at most: short times are imprecise.
            growth = min(10.0, 1.1 * MIN_ROUND_SECONDS / max(round_seconds, 1e-9))
            progress.iterations = math.ceil(progress.iterations * growth)
            if progress.iterations > _MOST_ITERATIONS:
                raise WrongResultError(
                    f"{progress.iterations} calls took no time: who changed the timer?"
                )
        if round_seconds > 2 * MIN_ROUND_SECONDS:  # perhaps it was disturbed
            round_seconds = min(round_seconds, self._untimed(prepared, progress.iterations))
        progress.rounds = max(1, round(VISIT_SECONDS / max(round_seconds, MIN_ROUND_SECONDS)))

    def _untimed(self, prepared: _Prepared, iterations: int) -> float:
        """Make a round that does not count; returns its seconds."""
        inputs = prepared.inputs
        data = [inputs.untimed]
        rounds = prepared.contender.run(inputs.network, data, iterations, keep=False)
        prepared.warming += rounds.seconds
        return rounds.seconds[0]

    def _make_copies(self, prepared: _Prepared, count: int) -> None:
        missing = count - len(prepared.copies)
        if missing > 0:
            prepared.copies += prepared.contender.more_copies(prepared.inputs.base, missing)

    def _renew(self, cell: Cell, prepared: _Prepared, progress: _Progress, *, judged: bool) -> None:
        """Give the data of each round new numbers, which nobody could know before.

        The numbers that are ``judged`` are the same for all cells of a case, however often these
        were visited before. So the correct result is computed once.
        """
        progress.renewals[judged] += 1
        seed = f"{self.seed} {judged} {progress.renewals[judged]}"
        changes = draw_changes(cell.case, progress.rounds, seed)
        progress.change = changes[-1]
        prepared.contender.renew(
            prepared.inputs.base, prepared.copies[: len(changes)], changes,
            progress.evidence.preparing,
        )  # fmt: skip

    def _clocked(
        self, cell: Cell, prepared: _Prepared, progress: _Progress, *, read: bool
    ) -> tuple[Rounds, float]:
        """Have the rounds made, and hold their clock against this process's."""
        self._renew(cell, prepared, progress, judged=read)
        contender = prepared.contender
        before = self.calm.wait(contender)
        own_before, others_before = contender.cpu_seconds()
        with self._keepers.stopped():
            start = self._clock()
            rounds = contender.run(
                prepared.inputs.network, prepared.copies[: progress.rounds], progress.iterations,
                read=read, keep=False, gauged=True,
            )  # fmt: skip
            end = self._clock()
        own, others = contender.cpu_seconds()
        of_others = max(0.0, others - others_before)
        progress.evidence.add(rounds, progress.iterations, start, end, own - own_before + of_others)
        if not all(0 < seconds < math.inf for seconds in rounds.seconds):
            raise WrongResultError("was timed at 0 s or less, which is impossible")
        rounds = self.calm.note(before, rounds)
        return rounds, sum(rounds.cpu_seconds) + of_others

    def _repeat_lost(
        self, cell: Cell, prepared: _Prepared, progress: _Progress, rounds: Rounds,
        cpu_seconds: float, last: bool,
    ) -> tuple[Rounds, float]:  # fmt: skip
        """Repeat a disturbed visit; the rounds that were disturbed least count."""
        for _ in range(MOST_REPEATS):
            if not self.calm.wants_again(rounds, cpu_seconds):
                break
            again, _ = self._clocked(cell, prepared, progress, read=last)
            rounds = less_disturbed(rounds, again)
            cpu_seconds = min(sum(rounds.cpu_seconds), sum(rounds.seconds))
        return rounds, cpu_seconds
