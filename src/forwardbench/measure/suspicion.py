"""What the times of a cell give away: a changed clock, remembered answers, work done elsewhere.

Each sign is a time that is too long, and a busy machine makes times long, too. So the shortest of
several counts, and more are taken before anything is called wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TYPE_CHECKING

from forwardbench.cases import DTYPE_BYTES
from forwardbench.verification.check import WrongResultError

if TYPE_CHECKING:
    from forwardbench.records import Cell
    from forwardbench.verification.contender import Reading, Rounds

UNFILLED_SHARE, UNFILLED_SECONDS = 0.25, 1e-3
"""A visit's rounds fill the CPU time of their process, but for this share and these seconds."""
READ_SECONDS = 1e-7
"""Seconds to read and send each number of a result, which count as filled."""
REMEMBERED = 1.2
"""The first call with new numbers takes at most so many times as long as the next ones."""
FETCH_SECONDS = 1e-10
"""Seconds to fetch each byte of these numbers, which the next calls find in the caches."""
MOST_CPUS = 1.25
"""CPU time is at most so many times the time of the rounds, for each thread."""
_SHORT = 2e-6
"""Differences of so many seconds are nothing: code that was not in the caches, for example."""


@dataclass
class Evidence:
    """Times of a cell in one pass, beside those of its rounds."""

    unfilled: list[float] = field(default_factory=list)
    """For each visit, seconds that its rounds leave unfilled beyond what is allowed."""
    clocked: float = 0.0
    """Seconds of all rounds, by the contender's clock."""
    passed: float = 0.0
    """Seconds that went by outside meanwhile."""
    cpu_seconds: float = 0.0
    """CPU time of the contender's process and its descendants meanwhile."""
    firsts: list[float] = field(default_factory=list)
    """Seconds of the first call of each round but a visit's first, if it has several calls."""
    others: list[float] = field(default_factory=list)
    """Average seconds of the other calls of these rounds."""
    preparing: list[float] = field(default_factory=list)
    """Seconds of each ``prepare_input`` after the layers were known."""
    preparing_blind: list[float] = field(default_factory=list)
    """Seconds of each ``prepare_input`` before."""
    readings: list[Reading] = field(default_factory=list)

    def add(
        self, rounds: Rounds, iterations: int, start: float, end: float, cpu_seconds: float
    ) -> None:
        """Add the rounds of a visit that began at ``start`` and were answered at ``end``."""
        passed, clocked = end - start, sum(rounds.seconds)
        # While it waits for a CPU that others have, nothing has to be filled.
        busy = min(passed, cpu_seconds)
        numbers = sum(getattr(array, "size", 0) for array in rounds.arrays)
        reading = READ_SECONDS * numbers
        allowed = UNFILLED_SHARE * busy + UNFILLED_SECONDS + reading
        shifted = rounds.starts[0] < start or rounds.starts[-1] + rounds.seconds[-1] > end
        self.unfilled.append(passed if shifted else busy - clocked - allowed)
        self.clocked += clocked
        self.passed += passed
        self.cpu_seconds += cpu_seconds
        if iterations > 1:
            # Not of the first round: before it the process has waited, so its caches are cold.
            pairs = list(zip(rounds.seconds, rounds.firsts, strict=True))[1:]
            self.firsts += [first for _, first in pairs]
            self.others += [(seconds - first) / (iterations - 1) for seconds, first in pairs]


def check_times(cell: Cell, evidence: Evidence, shortest_call: float) -> None:
    """Raise `WrongResultError` with the first sign that something is wrong with the times."""
    for sign in signs(cell, evidence, shortest_call):
        raise WrongResultError(f"{cell.case}: {sign}")


def signs(cell: Cell, evidence: Evidence, shortest_call: float) -> Iterator[str]:
    """Yield what is wrong with the times of a cell, in words."""
    if min(evidence.unfilled) > 0:
        yield (
            f"its process's clock showed {evidence.clocked * 1e3:.3g} ms in the "
            f"{evidence.passed * 1e3:.3g} ms that its rounds took: who changed the timer?"
        )
    if evidence.cpu_seconds > MOST_CPUS * cell.threads * evidence.passed + 0.02:
        yield (
            f"it kept {evidence.cpu_seconds / evidence.passed:.1f} CPUs busy and was given "
            f"{cell.threads}"
        )
    if evidence.firsts:
        first, other = min(evidence.firsts), min(evidence.others)
        data_bytes = cell.case.batch * cell.case.widths[0] * DTYPE_BYTES[cell.case.dtype]
        allowed = _SHORT + FETCH_SECONDS * data_bytes
        # Usually, too: a CPU may get faster in the middle of one round, and of one only. That shows
        # in most rounds, or in their means if answers are remembered in some rounds only.
        pairs = zip(evidence.firsts, evidence.others, strict=True)
        usually = max(
            median(seconds - REMEMBERED * rest for seconds, rest in pairs),
            median(evidence.firsts) - REMEMBERED * fmean(evidence.others),
        )
        if min(first - REMEMBERED * other, usually) > allowed:
            yield (
                f"it remembers its answers: {first * 1e6:.3g} us for an input it had not seen, "
                f"{other * 1e6:.3g} us for the same again"
            )
    if evidence.preparing and evidence.preparing_blind:
        knowing, blind = min(evidence.preparing), min(evidence.preparing_blind)
        if knowing > 2 * blind + shortest_call / 2 + _SHORT:
            yield (
                f"its prepare_input computes: it took {blind * 1e6:.3g} us before the layers "
                f"were prepared, and {knowing * 1e6:.3g} us afterwards"
            )
    yield from _signs_of_unfinished_work(evidence)


def _signs_of_unfinished_work(evidence: Evidence) -> Iterator[str]:
    new = [seconds for reading in evidence.readings for seconds in reading.new]
    finished = [seconds for reading in evidence.readings for seconds in reading.finished]
    if not new or not finished:
        return
    computing = min(seconds for reading in evidence.readings for seconds in reading.computing)
    if min(new) > 2 * min(finished) + 5e-6 and min(new) - min(finished) > computing / 10:
        yield (
            f"it returned unfinished work: its result took {min(new) * 1e6:.3g} us to read, a "
            f"finished array {min(finished) * 1e6:.3g} us"
        )
