"""Keeps visits apart from what disturbs them, within the time that may be spent on that.

Some neighbours take CPU time away: the rounds' CPU time tells. Others share a core and slow it
down: a small piece of work that is always the same tells. Which rounds count is decided by these
two, never by the rounds' own times.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forwardbench.verification.contender import Contender, Rounds

LOST_SHARE = 0.05
"""A round that lost this share of its time to other processes is repeated."""
SLOWED = 1.1
"""A visit is repeated, too, if a fixed piece of work took so many times as long as usual."""
PATIENCE_SECONDS = 0.2
"""Before a visit, the CPU may be waited for so long."""
SPARE_PART = 0.25
"""Not more than this part of the time that is left for that is spent on one visit."""
MOST_REPEATS = 2
"""A visit is repeated so often at most."""
_FEWEST_GAUGES = 8
"""From fewer visits nobody can tell what is usual."""


class Calm:
    """How fast the CPU usually is, and how much time is left for waiting and repeating."""

    def __init__(self) -> None:
        self.gauges: list[float] = []
        """The CPU's speed around each visit, see `verification.rounds.gauge`."""
        self.spare_seconds = math.inf

    def wait(self, contender: Contender) -> float:
        """Have a contender wait until its CPU is as fast as usual; returns what it found last."""
        patience = max(0.0, min(PATIENCE_SECONDS, self.spare_seconds))
        found, waited = contender.wait_for_speed(SLOWED * self._usual(), patience)
        self.spare_seconds -= waited
        return found

    def note(self, before: float, rounds: Rounds) -> Rounds:
        """Note how fast the CPU was before and after some rounds; they keep the slower."""
        self.gauges += [before, rounds.gauge]
        return rounds._replace(gauge=max(before, rounds.gauge))

    def wants_again(self, rounds: Rounds, cpu_seconds: float) -> bool:
        """Whether to repeat a visit, which lost its CPU to others or was made on a slow one.

        A short call often escapes others and a long one does not. So the lost time must not count.
        """
        clocked = sum(rounds.seconds)
        lost = 1 - cpu_seconds / clocked
        disturbed = lost >= LOST_SHARE or rounds.gauge > SLOWED * self._usual()
        if not disturbed or clocked > SPARE_PART * self.spare_seconds:
            return False
        self.spare_seconds -= clocked
        return True

    def _usual(self) -> float:
        """How long `gauge` usually takes on a fast CPU; infinity as long as that is not known."""
        if len(self.gauges) < _FEWEST_GAUGES:
            return math.inf
        return sorted(self.gauges)[len(self.gauges) // 4]


def less_disturbed(one: Rounds, other: Rounds) -> Rounds:
    """The half of two visits' rounds that were disturbed least.

    If the CPU was much faster in one visit, all rounds are of that one; else those that lost least.
    The result is that of the later visit.
    """
    columns = ("starts", "firsts", "seconds", "cpu_seconds")
    slow, fast = sorted((one, other), key=lambda rounds: rounds.gauge, reverse=True)
    visits = (fast,) if slow.gauge > SLOWED * fast.gauge else (one, other)
    rows = [
        row
        for rounds in visits
        for row in zip(*(getattr(rounds, name) for name in columns), strict=True)
    ]
    rows.sort(key=lambda row: 1 - row[3] / row[2])
    starts, firsts, seconds, cpu_seconds = map(list, zip(*rows[: len(one.seconds)], strict=True))
    return other._replace(
        starts=starts, firsts=firsts, seconds=seconds, cpu_seconds=cpu_seconds,
        gauge=min(one.gauge, other.gauge) if len(visits) == 1 else max(one.gauge, other.gauge),
    )  # fmt: skip
