"""Keeps rounds apart from what disturbs them, within the time that may be spent on that.

Some neighbours take CPU time away: the rounds' CPU time tells. Others share a core and slow it
down: a small piece of work that is always the same tells. Which rounds count is decided by these
two, never by the rounds' own times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LOST_SHARE = 0.05
"""A round that lost this share of its time to other processes was disturbed."""
SLOWED = 1.3
"""So was one if a fixed piece of work took so many times as long as usual, before or after it."""
SPARE_PART = 0.25
"""Not more than this part of the time that is left for that is spent on one visit."""
MOST_REPEATS = 2
"""So many more visits are made to a cell at most if all of its rounds were disturbed."""
_FEWEST_GAUGES = 8
"""From fewer visits nobody can tell what is usual."""


class Round(NamedTuple):
    """One round, and what happened to its CPU meanwhile."""

    seconds: float
    cpu_seconds: float
    """CPU time of the contender and of what it has started."""
    gauge: float
    """Seconds of a fixed piece of work before or after its visit, whichever is longer."""

    @property
    def kept(self) -> float:
        """The share of its time in which it had its CPU."""
        return min(1.0, self.cpu_seconds / self.seconds)


class Calm:
    """How fast the CPU usually is, and how much time is left for repeating visits."""

    def __init__(self) -> None:
        self.gauges: list[float] = []
        """The CPU's speed around each visit, see `verification.rounds.gauge`."""
        self.spare_seconds = math.inf

    def was_disturbed(self, one: Round) -> bool:
        """Whether a round lost its CPU to others, or was made on a slow one."""
        return 1 - one.kept >= LOST_SHARE or one.gauge > SLOWED * self._usual()

    def spend(self, seconds: float) -> bool:
        """Spend so many seconds on a repetition; returns whether that much may be spent."""
        if seconds > SPARE_PART * self.spare_seconds:
            return False
        self.spare_seconds -= seconds
        return True

    def least_disturbed(self, rounds: Sequence[Round]) -> list[Round]:
        """The rounds that were not disturbed; if all were, the half that suffered least.

        A short call often escapes others and a long one does not. So the lost time must not count.
        """
        calm = [one for one in rounds if not self.was_disturbed(one)]
        return calm or sorted(rounds, key=_suffered)[: math.ceil(len(rounds) / 2)]

    def _usual(self) -> float:
        """How long the gauge usually takes; infinity as long as that is not known."""
        if len(self.gauges) < _FEWEST_GAUGES:
            return math.inf
        return sorted(self.gauges)[len(self.gauges) // 4]


def _suffered(one: Round) -> float:
    """How many times as long as alone a round took, but for a factor that all rounds share."""
    return one.gauge / max(one.kept, 1e-9)
