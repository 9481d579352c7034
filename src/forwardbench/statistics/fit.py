"""Predict seconds from the work: a fixed cost, a cost per neuron, a cost per multiply-add."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FITTED_POINTS = 6
"""Only the largest cases are fitted: the cost of small ones says little about large ones."""


DRIFT = 0.06
"""How fast the cost of a multiply-add may change beyond the largest size that was measured.

Caches overflow and blocks grow, so the cost follows a small power of the work, which a fit of
smaller sizes cannot show. With this power (15 % for ten times the work) intervals hold at least
90 % of the measured sizes that were left out of the fit; `tests/statistics/test_fit.py` checks it.
"""


class Work(Protocol):
    """How much a call computes."""

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
    degrees_of_freedom: int
    """Fitted points minus fitted costs. Below 1 it is not known how good the fit is."""
    spread: float
    """Standard deviation of the log residuals."""
    largest: int
    """Multiply-adds of the largest case fitted."""

    def seconds(self, work: Work) -> float:
        """Predict the time of a call with this work."""
        return float(_counts(work) @ self.costs)

    def estimate(self, work: Work) -> Estimate:
        """Predict the time of a call with this work, with its prediction interval."""
        # Imported here: most predictions need no interval, and SciPy takes long to import.
        from scipy.special import stdtrit

        seconds = self.seconds(work)
        if self.degrees_of_freedom < 1:
            return Estimate(seconds, None, None)
        # Prediction interval of Student's t: the spread of one new time and of the fit.
        points = self.degrees_of_freedom + len(self.costs)
        half_width = stdtrit(self.degrees_of_freedom, 0.975) * self.spread * np.sqrt(1 + 1 / points)
        beyond = max(0.0, float(np.log(work.multiply_adds / self.largest)))
        factor = float(np.exp(half_width + DRIFT * beyond))
        return Estimate(seconds, seconds / factor, seconds * factor)


def fit_times(works: Sequence[Work], seconds: Sequence[float]) -> Fit | None:
    """Fit the largest cases by least squares on relative errors; None with fewer than two.

    No cost may be negative: every subset of the costs is fitted, and the best fit without a
    negative cost is returned.
    """
    pairs = sorted(zip(works, seconds, strict=True), key=lambda pair: pair[0].multiply_adds)
    largest = pairs[-FITTED_POINTS:]
    if len(largest) < 2:
        return None
    times = np.array([time for _, time in largest])
    # Dividing each row by its time makes the residuals relative, and the target 1.
    rows = np.stack([_counts(work) for work, _ in largest]) / times[:, None]
    costs = min(_candidates(rows), key=lambda costs: float(np.sum((rows @ costs - 1) ** 2)))
    degrees_of_freedom = len(largest) - len(costs)
    spread = np.sqrt(np.sum(np.log(rows @ costs) ** 2) / max(1, degrees_of_freedom))
    three_costs = (float(costs[0]), float(costs[1]), float(costs[2]))
    return Fit(three_costs, degrees_of_freedom, float(spread), largest[-1][0].multiply_adds)


def _counts(work: Work) -> NDArray[np.float64]:
    """How often each of the three costs is paid."""
    return np.array([1.0, work.outputs, work.multiply_adds])


def _candidates(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Least-squares solutions for all subsets of the costs, without those with a negative cost."""
    solutions = []
    for count in range(1, rows.shape[1] + 1):
        for subset in combinations(range(rows.shape[1]), count):
            columns = list(subset)
            costs = np.zeros(rows.shape[1])
            costs[columns] = np.linalg.lstsq(rows[:, columns], np.ones(len(rows)), rcond=None)[0]
            if (costs >= 0).all() and (rows @ costs > 0).all():
                solutions.append(costs)
    return solutions
