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
    (centre,), (low,), (high,) = _mean_intervals(np.array([values], float), level)
    return Interval(float(centre), float(low), float(high))


def _mean_intervals(values: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """`mean_interval` of each row of ``values``: centres, lows and highs, shape (3, rows)."""
    # SciPy is imported here: passes are measured without it.
    from scipy.special import stdtrit

    ordered = np.sort(values, axis=1)
    count = ordered.shape[1]
    cut = int(TRIMMED * count) if count >= FEWEST_TO_TRIM else 0
    kept = ordered[:, cut : count - cut]
    centres = kept.mean(axis=1)
    if kept.shape[1] < 2:
        unknown = np.full_like(centres, np.nan)
        return np.array([centres, unknown, unknown])
    winsorized = np.clip(ordered, kept[:, :1], kept[:, -1:])
    errors = winsorized.std(axis=1, ddof=1) / (kept.shape[1] / count * np.sqrt(count))
    half_widths = stdtrit(kept.shape[1] - 1, (1 + level) / 2) * errors
    return np.array([centres, centres - half_widths, centres + half_widths])


def log_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """`mean_interval` of the logarithms of positive values, exponentiated."""
    (centre,), (low,), (high,) = log_intervals(np.array([values], float), level)
    return Interval(float(centre), float(low), float(high))


def log_intervals(values: NDArray[np.float64], level: float = LEVEL) -> NDArray[np.float64]:
    """`log_interval` of each row of ``values``, without its NaN: thousands of rows at once.

    ``values`` has the shape (rows, values), the result (3, rows): centres, lows and highs. All
    three are NaN for a row without a value.
    """
    intervals = np.full((3, len(values)), np.nan)
    counts = np.count_nonzero(~np.isnan(values), axis=1)
    for count in np.unique(counts[counts > 0]):
        rows = values[counts == count]
        logs = np.log(rows[~np.isnan(rows)].reshape(-1, count))
        centres, _, highs = _mean_intervals(logs, level)
        half_widths = np.fmin(highs - centres, WIDEST)
        half_widths[np.isnan(highs)] = np.nan  # fmin would put WIDEST there
        centres = np.exp(centres)
        ends = centres * np.exp(-half_widths), centres * np.exp(half_widths)
        intervals[:, counts == count] = [centres, *ends]
    return intervals


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
