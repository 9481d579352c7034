"""Seconds predicted from the work: a fixed cost, a cost per neuron, a cost per multiply-add."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FITTED_POINTS = 6
"""Only the largest cases are fitted: the cost of small ones says little of large ones."""


DRIFT = 0.06
"""How fast the cost of a multiply-add may drift beyond the largest size that was measured.

Caches overflow and blocks grow, so the cost follows work to some small power, which no fit of
smaller sizes shows. This one (15 % for each tenfold of work) lets intervals hold at least 90 %
of sizes that were measured and left out of the fit; `tests/test_fit.py` repeats that.
"""


class Work(Protocol):
    """What a call does, counted."""

    @property
    def outputs(self) -> int:
        """Activations computed."""

    @property
    def multiply_adds(self) -> int:
        """Multiply-add pairs."""


class Estimate(NamedTuple):
    """A predicted time in seconds and its 95 % prediction interval, None where unknown."""

    seconds: float
    low: float | None
    high: float | None


class Fit(NamedTuple):
    """Costs in seconds of a call, of each activation computed, and of each multiply-add."""

    costs: tuple[float, float, float]
    freedom: int
    """Points fitted, less costs fitted; without any there is no telling how good the fit is."""
    spread: float
    """Standard deviation of the log residuals."""
    largest: int
    """Multiply-adds of the largest case fitted."""

    def seconds(self, work: Work) -> float:
        """Predict the time of a call that does so much."""
        return float(_counts(work) @ self.costs)

    def estimate(self, work: Work) -> Estimate:
        """Predict the time of a call that does so much, with its interval."""
        # Imported here: most predictions need no interval, and SciPy takes long to import.
        from scipy.special import stdtrit

        seconds = self.seconds(work)
        if self.freedom < 1:
            return Estimate(seconds, None, None)
        # One new observation: its own spread, and that of the fit (Student's t).
        points = self.freedom + len(self.costs)
        half_width = stdtrit(self.freedom, 0.975) * self.spread * np.sqrt(1 + 1 / points)
        beyond = max(0.0, float(np.log(work.multiply_adds / self.largest)))
        factor = float(np.exp(half_width + DRIFT * beyond))
        return Estimate(seconds, seconds / factor, seconds * factor)


def fit_times(works: Sequence[Work], seconds: Sequence[float]) -> Fit | None:
    """Fit the largest cases by least squares on relative errors; None with fewer than two.

    No cost may be negative: of all choices of costs that are not, the best-fitting counts.
    """
    pairs = sorted(zip(works, seconds, strict=True), key=lambda pair: pair[0].multiply_adds)
    largest = pairs[-FITTED_POINTS:]
    if len(largest) < 2:
        return None
    times = np.array([time for _, time in largest])
    # Dividing each row by its time makes the residuals relative, and the target 1.
    rows = np.stack([_counts(work) for work, _ in largest]) / times[:, None]
    costs = min(_candidates(rows), key=lambda costs: float(np.sum((rows @ costs - 1) ** 2)))
    freedom = len(largest) - len(costs)
    spread = np.sqrt(np.sum(np.log(rows @ costs) ** 2) / max(1, freedom))
    found = (float(costs[0]), float(costs[1]), float(costs[2]))
    return Fit(found, freedom, float(spread), largest[-1][0].multiply_adds)


def _counts(work: Work) -> NDArray[np.float64]:
    """How often each of the three costs is paid."""
    return np.array([1.0, work.outputs, work.multiply_adds])


def _candidates(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Least-squares costs for every subset of them that comes out without a negative one."""
    found = []
    for count in range(1, rows.shape[1] + 1):
        for subset in combinations(range(rows.shape[1]), count):
            columns = list(subset)
            costs = np.zeros(rows.shape[1])
            costs[columns] = np.linalg.lstsq(rows[:, columns], np.ones(len(rows)), rcond=None)[0]
            if (costs >= 0).all() and (rows @ costs > 0).all():
                found.append(costs)
    return found
