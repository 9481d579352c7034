"""Times that were never measured, from a fit of those that were."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import HOST_COLUMN, SETTING
from forwardbench.analysis.rows import is_control, is_credible
from forwardbench.cases import parse_case
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.statistics.fit import Fit, Work, fit_times
from forwardbench.workloads import get

FIT_POINTS = 4
"""Fewer measured sizes than this say too little of the cost of larger ones."""


UNCERTAIN = 1e6
"""A prediction that may be off by more than this factor has no interval."""


def with_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Refine estimates where enough sizes of the same sweep were measured to fit them."""
    table = table.copy()
    workload = get(DEFAULT_WORKLOAD)
    for _, group in table.groupby(["implementation", *SETTING], sort=False):
        measured = group[group["status"] == "measured"]
        estimated = group[group["status"] == "estimated"]
        along_an_axis = workload.axis(group["sweep"].iloc[0])
        if not along_an_axis or len(measured) < FIT_POINTS:
            continue
        works = [workload.work(parse_case(case)) for case in measured["case"]]
        fit = fit_times(works, measured["seconds"].tolist())
        for index, case in estimated["case"].items():
            if fit is not None:
                columns = ["seconds", "seconds_low", "seconds_high"]
                table.loc[index, columns] = _estimate(fit, workload.work(parse_case(case)))
    return table


def _estimate(fit: Fit, work: Work) -> list[float | None]:
    """Predicted seconds with their interval, unless that is so wide that it says nothing."""
    with np.errstate(over="ignore"):
        seconds, low, high = fit.estimate(work)
    if high is None or high > UNCERTAIN * seconds:
        return [seconds, None, None]
    return [seconds, low, high]


def estimated_speedups(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the baseline's time where one of the two was only estimated; else NaN.

    Columns guess, guess_low and guess_high; the interval joins the far ends of both times'.
    """
    keys = ["sweep", "case", "activation", "dtype", "threads", HOST_COLUMN]
    doubted = (table["status"] == "measured") & ~is_credible(table)
    baseline = table[(table["implementation"] == table["baseline"]) & ~doubted].set_index(keys)
    theirs = baseline[~baseline.index.duplicated()].reindex(pd.MultiIndex.from_frame(table[keys]))
    guesses = pd.DataFrame(
        {
            "guess": theirs["seconds"].to_numpy() / table["seconds"],
            "guess_low": theirs["seconds_low"].to_numpy() / table["seconds_high"],
            "guess_high": theirs["seconds_high"].to_numpy() / table["seconds_low"],
        },
        index=table.index,
    )
    # However uncertain its time, the baseline is exactly once as fast as itself.
    guesses.loc[table["implementation"] == table["baseline"], ["guess_low", "guess_high"]] = np.nan
    unknown = table["speedup"].isna() & ~is_control(table)
    return guesses.where(unknown)
