"""Estimate times that were never measured from a fit of measured times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forwardbench.analysis.amounts import Amount, amount_of
from forwardbench.analysis.columns import PLACE, SETTING
from forwardbench.analysis.rows import is_control, is_doubted, size_axis
from forwardbench.statistics.fit import Fit, fit_times

FIT_POINTS = 4
"""Fewer measured sizes than this say too little about the cost of larger ones."""


UNCERTAIN = 1e6
"""A prediction that may be off by more than this factor has no interval."""


def with_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Improve estimates by a fit, where enough sizes of the same sweep were measured."""
    table = table.copy()
    series = ["implementation", *SETTING]
    guessed = table.loc[table["status"] == "estimated", series].itertuples(index=False, name=None)
    lacking = set(guessed)
    has_guess = [key in lacking for key in table[series].itertuples(index=False, name=None)]
    for _, group in table[has_guess].groupby(series, sort=False):
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
    """Predicted seconds and their interval, which is left out where it is too wide to be of use."""
    with np.errstate(over="ignore"):
        seconds, low, high = fit.estimate(amount)
    if high is None or high > UNCERTAIN * seconds:
        return [seconds, None, None]
    return [seconds, low, high]


def estimated_speedups(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the baseline's time where one of the two times was estimated; else NaN.

    The columns are guess, guess_low and guess_high. Each end of the interval divides opposite ends
    of the two times' intervals.
    """
    is_baseline = table["implementation"] == table["baseline"]
    baseline = table[is_baseline & ~is_doubted(table)].set_index(PLACE)
    baseline = baseline[~baseline.index.duplicated()]
    baseline = baseline.reindex(pd.MultiIndex.from_frame(table[PLACE]))
    guesses = pd.DataFrame(
        {
            "guess": baseline["seconds"].to_numpy() / table["seconds"],
            "guess_low": baseline["seconds_low"].to_numpy() / table["seconds_high"],
            "guess_high": baseline["seconds_high"].to_numpy() / table["seconds_low"],
        },
        index=table.index,
    )
    # The baseline's speedup over itself is exactly 1, however uncertain its time is.
    guesses.loc[is_baseline, ["guess_low", "guess_high"]] = np.nan
    unknown = table["speedup"].isna() & ~is_control(table)
    return guesses.where(unknown)
