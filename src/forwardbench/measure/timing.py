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
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forwardbench.measure import suspicion
from forwardbench.measure.calm import MOST_REPEATS, Calm, Round
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
    from forwardbench.workloads import Workload

    Array = NDArray[np.floating]

VISITS = 2
"""A cell is timed at so many moments of a pass, by default.

Bursts of other work on the machine often last longer than a visit, and seldom until the next one.
What they disturb does not count beside what is calm (docs/method.md has figures).
"""
VISIT_SECONDS = 5e-3
"""The rounds of one visit take about this time."""
MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
FEWEST_ROUNDS = 3
"""A visit has at least so many rounds of several calls, even if a disturbed one was that long."""
SLOW_SECONDS = 0.08
"""If a call in each visit would take longer than this, there are fewer, but at least one."""
FAST_SECONDS = 0.02
"""A call of this length or shorter is made once before each visit, for the caches."""
WARM_SECONDS = 0.05
"""A call of this length warms itself up: what a first call costs more does not show in it."""
UNEXPECTED = 1.5
"""A first call that takes so many times as long as expected was not warm after all."""
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
    """A cell's process in a pass, and what is known of the cell from earlier visits."""

    contender: Contender
    inputs: Beginning
    warming: list[float] = field(default_factory=list)
    """Seconds of the calls since the last visit that are not timed."""
    copies: list[int] = field(default_factory=list)
    """The numbers of the data of each round."""
    warm: bool = False
    """Whether a call was made."""
    iterations: int = 0
    """Calls in a round; 0 before the first visit."""
    rounds: int = 1
    """Rounds in a visit."""
    renewals: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    """How often its inputs got new numbers: in rounds whose result is not judged, and is."""
    change: tuple[int, float] = (0, 1.0)
    """The change of the last round's numbers, see `draw_changes`."""
    evidence: suspicion.Evidence = field(default_factory=suspicion.Evidence)
    calm: bool = False
    """Whether a round was made that nothing disturbed."""
    repeats: int = 0
    """How often it was visited again, since none was."""
    last: Rounds = field(init=False)
    """The rounds that were made last, with their result if it was read."""


@dataclass
class Visit:
    """What was clocked in one visit."""

    rounds: list[Round]
    iterations: int
    """Calls in a round."""
    warming_seconds: float
    """Of the calls before it that are not timed."""
    again: bool = False
    """Whether the cell should be visited once more, since all its rounds were disturbed."""
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

        In the ``last`` visit it is judged, unless it should be visited again.
        ``following`` is visited next. Its process gets ready while the result of this one is
        judged. Raises `WrongResultError`, and `ContenderFailedError` if the contender raises or
        dies.
        """
        self._following = following
        prepared = self._kept.pop(cell, None) or self._prepare(cell)
        try:
            visit = self._visit(cell, prepared, seconds, last)
            visit.again = last and self._should_repeat(prepared)
            if last and not visit.again:
                visit.accuracy = self._judge(cell, prepared)
        except BaseException:
            prepared.contender.end()
            raise
        if not last or visit.again:
            self._kept[cell] = prepared
        return visit

    def ran_on(self, cell: Cell) -> dict[str, Any]:
        """CPUs and threads of a cell's process."""
        return self._ran_on[cell.reference, cell.threads]

    # --- one visit -------------------------------------------------------------------------

    def _visit(self, cell: Cell, prepared: _Prepared, seconds: float, last: bool) -> Visit:
        self._warm_up(cell, prepared, seconds)
        self._make_copies(prepared, prepared.rounds)
        rounds = self._clocked(cell, prepared, read=last)
        if not prepared.warm and rounds[0].seconds > UNEXPECTED * seconds:
            prepared.warming += [one.seconds for one in rounds]
            rounds = self._clocked(cell, prepared, read=last)
        prepared.warm = True
        visit = Visit(rounds, prepared.iterations, sum(prepared.warming))
        prepared.warming.clear()
        return visit

    def _should_repeat(self, prepared: _Prepared) -> bool:
        """Whether to visit a cell again, all of whose rounds so far were disturbed."""
        if prepared.calm or prepared.repeats == MOST_REPEATS:
            return False
        prepared.repeats += 1
        return self.calm.spend(sum(prepared.last.seconds))

    def _judge(self, cell: Cell, prepared: _Prepared) -> Accuracy:
        """Judge a cell after its last visit; raises `WrongResultError`."""
        contender, evidence, rounds = prepared.contender, prepared.evidence, prepared.last
        if not rounds.held:
            raise WrongResultError(f"{cell.case}: {UNFINISHED}")
        change, shortest = prepared.change, min(rounds.seconds) / prepared.iterations
        for _ in range(1 + _CONFIRMATIONS):
            if not rounds.plain:
                reading = contender.reading(prepared.inputs.network, prepared.copies[:3])
                evidence.readings.append(reading)
            if not any(suspicion.signs(cell, evidence, shortest)):
                break
            self._clocked(cell, prepared, read=False)
        suspicion.check_times(cell, evidence, shortest)
        singles = self._single_calls(cell, prepared) if shortest <= VISIT_SECONDS else []
        contender.check_cpus()
        # The last thing that is asked of it. From here on, its code cannot change anything.
        key = cell.reference, cell.threads
        if key not in self._ran_on:
            self._ran_on[key] = contender.ran_on()
        contender.end()
        self._get_following_ready()
        accuracy = self._compared(contender.workload, cell, rounds.arrays, change)
        for arrays, change in singles:
            accuracy = accuracy.worse(self._compared(contender.workload, cell, arrays, change))
        return accuracy

    def _single_calls(
        self, cell: Cell, prepared: _Prepared
    ) -> list[tuple[Sequence[Any], tuple[int, float]]]:
        """Have one call made on each of two sets of new numbers; returns the results.

        A round shows its last result only. These show the first, which nobody has completed yet,
        and an earlier one after the next call, which may not have changed it.
        """
        contender, network = prepared.contender, prepared.inputs.network
        self._make_copies(prepared, 2)
        data, changes = prepared.copies[:2], draw_changes(cell.case, 2, f"{self.seed} single")
        contender.renew(prepared.inputs.base, data, changes, prepared.evidence.preparing)
        kept = not contender.reuses_output
        one = contender.run(network, data[:1], read=not kept, keep=kept)
        other = contender.run(network, data[1:], read=True, keep=False)
        arrays = contender.read(one.output, cell.case.dtype) if kept else one.arrays
        return list(zip((arrays, other.arrays), changes, strict=True))

    def _compared(
        self, workload: Workload, cell: Cell, arrays: Sequence[Any], change: tuple[int, float]
    ) -> Accuracy:
        """Compare a result with the right one; raises `WrongResultError`."""
        few, nearly = expected_of(workload, cell.case, change, self.seed)
        accuracy = check_result(arrays, cell.case, few)
        if nearly:
            check_result(arrays, cell.case, nearly)
        return accuracy

    def _prepare(self, cell: Cell) -> _Prepared:
        """Start a cell's process, with its inputs prepared."""
        contender = self._started.pop(cell, None) or self._start(cell)
        try:
            inputs = inputs_of(contender.workload, cell.case)
            prepared = _Prepared(contender, contender.begin(inputs, _FIRST_CHANGE))
            prepared.evidence.preparing_blind = prepared.inputs.preparing_blind
            return prepared
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

    def _warm_up(self, cell: Cell, prepared: _Prepared, seconds: float) -> None:
        """Make calls that are not timed, and choose the rounds if this is the first visit.

        A slow call that compiles nothing is not warmed up, and a call of many visits each time:
        that brings its arrays into the caches.
        """
        slow = seconds > WARM_SECONDS and not compiles(cell.reference)
        if not slow and (not prepared.warm or seconds <= FAST_SECONDS):
            inputs = prepared.inputs
            prepared.contender.call_untimed(inputs.network, inputs.untimed, prepared.warming)
            prepared.warm = True
        if not prepared.iterations:
            prepared.iterations = 1
            if seconds <= VISIT_SECONDS:
                prepared.iterations = max(1, math.ceil(1.1 * MIN_ROUND_SECONDS / seconds))
                self._choose_rounds(prepared)

    def _choose_rounds(self, prepared: _Prepared) -> None:
        """Choose the rounds of a cell from the time that its calls take.

        A round is as many calls as take `MIN_ROUND_SECONDS`. A visit is as many rounds as take
        `VISIT_SECONDS`. A call that takes longer than a visit is one round.
        """
        while True:
            round_seconds = self._untimed(prepared, prepared.iterations)
            if round_seconds >= MIN_ROUND_SECONDS:
                break
            # Aim a little higher than needed, but grow tenfold at most: short times are imprecise.
            growth = min(10.0, 1.1 * MIN_ROUND_SECONDS / max(round_seconds, 1e-9))
            prepared.iterations = math.ceil(prepared.iterations * growth)
            if prepared.iterations > _MOST_ITERATIONS:
                raise WrongResultError(
                    f"{prepared.iterations} calls took no time: who changed the timer?"
                )
        if round_seconds > 2 * MIN_ROUND_SECONDS:  # perhaps it was disturbed
            round_seconds = min(round_seconds, self._untimed(prepared, prepared.iterations))
        fewest = 1 if prepared.iterations == 1 else FEWEST_ROUNDS
        rounds = round(VISIT_SECONDS / max(round_seconds, MIN_ROUND_SECONDS))
        prepared.rounds = max(fewest, rounds)

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

    def _renew(self, cell: Cell, prepared: _Prepared, *, judged: bool) -> None:
        """Give the data of each round new numbers, which nobody could know before.

        The numbers that are ``judged`` are the same for all cells of a case, however often these
        were visited before. So the correct result is computed once.
        """
        prepared.renewals[judged] += 1
        seed = f"{self.seed} {judged} {prepared.renewals[judged]}"
        changes = draw_changes(cell.case, prepared.rounds, seed)
        prepared.change = changes[-1]
        prepared.contender.renew(
            prepared.inputs.base, prepared.copies[: len(changes)], changes,
            prepared.evidence.preparing,
        )  # fmt: skip

    def _clocked(self, cell: Cell, prepared: _Prepared, *, read: bool) -> list[Round]:
        """Have the rounds made, and hold their clock against this process's."""
        self._renew(cell, prepared, judged=read)
        contender = prepared.contender
        contender.settle()  # what it still had to do takes CPU time, too
        with self._keepers.stopped():
            start = self._clock()
            own_before, others_before = contender.cpu_seconds()
            rounds = contender.run(
                prepared.inputs.network, prepared.copies[: prepared.rounds], prepared.iterations,
                read=read, keep=False, gauged=True,
            )  # fmt: skip
            own, others = contender.cpu_seconds()
            end = self._clock()
        of_others = max(0.0, others - others_before)
        prepared.evidence.add(rounds, prepared.iterations, start, end, own - own_before + of_others)
        if not all(0 < seconds < math.inf for seconds in rounds.seconds):
            raise WrongResultError("was timed at 0 s or less, which is impossible")
        self.calm.gauges.append(rounds.gauge)
        share = of_others / len(rounds.seconds)
        made = [
            Round(seconds, cpu_seconds + share, rounds.gauge)
            for seconds, cpu_seconds in zip(rounds.seconds, rounds.cpu_seconds, strict=True)
        ]
        prepared.calm = prepared.calm or not all(map(self.calm.was_disturbed, made))
        prepared.last = rounds
        return made
