"""Times that were never measured, from a fit of those that were."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import PLACE, SETTING
from forwardbench.analysis.computed import Amount, amount_of
from forwardbench.analysis.rows import is_control, is_doubted, size_axis
from forwardbench.statistics.fit import Fit, fit_times

FIT_POINTS = 4
"""Fewer measured sizes than this say too little of the cost of larger ones."""


UNCERTAIN = 1e6
"""A prediction that may be off by more than this factor has no interval."""


def with_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Refine estimates where enough sizes of the same sweep were measured to fit them."""
    table = table.copy()
    for _, group in table.groupby(["implementation", *SETTING], sort=False):
        measured = group[group["status"] == "measured"]
        estimated = group[group["status"] == "estimated"]
        if not size_axis(group) or len(measured) < FIT_POINTS:
            continue
        workload = str(group["workload"].iloc[0])
        amounts = [amount_of(workload, case) for case in measured["case"]]
        fit = fit_times(amounts, measured["seconds"].tolist())
        for index, case in estimated["case"].items():
            if fit is not None:
                columns = ["seconds", "seconds_low", "seconds_high"]
                table.loc[index, columns] = _estimate(fit, amount_of(workload, case))
    return table


def _estimate(fit: Fit, amount: Amount) -> list[float | None]:
    """Predicted seconds with their interval, unless that is so wide that it says nothing."""
    with np.errstate(over="ignore"):
        seconds, low, high = fit.estimate(amount)
    if high is None or high > UNCERTAIN * seconds:
        return [seconds, None, None]
    return [seconds, low, high]


def estimated_speedups(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the baseline's time where one of the two was only estimated; else NaN.

    Columns guess, guess_low and guess_high; the interval joins the far ends of both times'.
    """
    is_baseline = table["implementation"] == table["baseline"]
    baseline = table[is_baseline & ~is_doubted(table)].set_index(PLACE)
    theirs = baseline[~baseline.index.duplicated()].reindex(pd.MultiIndex.from_frame(table[PLACE]))
    guesses = pd.DataFrame(
        {
            "guess": theirs["seconds"].to_numpy() / table["seconds"],
            "guess_low": theirs["seconds_low"].to_numpy() / table["seconds_high"],
            "guess_high": theirs["seconds_high"].to_numpy() / table["seconds_low"],
        },
        index=table.index,
    )
    # However uncertain its time, the baseline is exactly once as fast as itself.
    guesses.loc[is_baseline, ["guess_low", "guess_high"]] = np.nan
    unknown = table["speedup"].isna() & ~is_control(table)
    return guesses.where(unknown)
