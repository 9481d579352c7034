"""Centres of positive measurements and their intervals: pure functions on numbers.

Times vary by factors. Therefore their logarithms are averaged, which are close to normal.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Share of intervals that shall hold the true value."""
EARLY_STOP_LEVEL = 0.97
"""Level of intervals where measuring stopped as soon as they were narrow enough.

Stopping at the first narrow interval favours those that are narrow by chance: computed at 95 %
they would hold the true value in 92 to 94 of 100 runs. Computed at 97 % they hold it in 95.
"""
FEWEST_PASSES = 5
"""With fewer values intervals are too wide to say much."""
WIDEST = 100 * np.log(10)
"""Largest half-width in the logarithm: a factor of 1e100. A wider interval would overflow."""
TRIMMED = 0.15
"""Share of the values that is left out at each end."""
_ROUNDING = 1e-12
"""Logarithms this close differ only by rounding."""
FEWEST_TO_TRIM = 7
"""With fewer values none is left out, because that would widen the interval too much."""


class Interval(NamedTuple):
    """A centre and its interval, which is NaN where there is only one value."""

    centre: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """The larger distance from the centre, as a share of the centre; NaN if unknown."""
        return self.high / self.centre - 1


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Trimmed mean with its t-interval.

    The interval is that of Tukey and McLaughlin (1963, Sankhya A 25, 331-352): the standard
    error comes from the winsorized variance, the degrees of freedom from the values that are
    kept. Without trimming it is Student's. Measurements on a shared machine have outliers on
    one side, which shift a plain mean and widen its interval; `docs/method.md` compares both.
    """
    # SciPy is imported here: passes are measured without it.
    from scipy.special import stdtrit

    ordered = np.sort(np.asarray(values, float))
    count = len(ordered)
    cut = int(TRIMMED * count) if count >= FEWEST_TO_TRIM else 0
    kept = ordered[cut : count - cut]
    centre = float(kept.mean())
    if len(kept) < 2:
        return Interval(centre, np.nan, np.nan)
    winsorized = np.clip(ordered, kept[0], kept[-1])
    error = winsorized.std(ddof=1) / (len(kept) / count * np.sqrt(count))
    half_width = float(stdtrit(len(kept) - 1, (1 + level) / 2) * error)
    return Interval(centre, centre - half_width, centre + half_width)


def log_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """`mean_interval` of the logarithms of positive values, exponentiated."""
    logs = mean_interval(np.log(np.asarray(values, float)).tolist(), level)
    centre, half_width = float(np.exp(logs.centre)), np.fmin(logs.high - logs.centre, WIDEST)
    if np.isnan(logs.high):
        return Interval(centre, np.nan, np.nan)
    return Interval(centre, centre * np.exp(-half_width), centre * np.exp(half_width))


def ratio_interval(
    before: NDArray[np.float64], after: NDArray[np.float64], level: float = LEVEL
) -> Interval:
    """exp(after - before) for the trimmed means of two unpaired samples of logarithms.

    NaN values are left out. The interval is that of Yuen (1974, Biometrika 61, 165-170). With too
    few values to trim it is Welch's, and with a single value in either sample it is NaN.
    """
    from scipy import stats  # slow to import, and only comparisons need it

    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if len(before) < 2 or len(after) < 2:
        return Interval(float(np.exp(after.mean() - before.mean())), np.nan, np.nan)
    trim = TRIMMED if min(len(before), len(after)) >= FEWEST_TO_TRIM else 0
    centre = float(stats.trim_mean(after, trim) - stats.trim_mean(before, trim))
    if max(np.ptp(before), np.ptp(after)) < _ROUNDING:  # no variance, no degrees of freedom
        return Interval(*np.exp([centre] * 3).tolist())
    with warnings.catch_warnings():  # about rounding, where a sample hardly varies
        warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_ind(after, before, equal_var=False, trim=trim)
        difference = test.confidence_interval(level)
    return Interval(*np.exp([centre, difference.low, difference.high]).tolist())
