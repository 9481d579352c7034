"""Describe first calls in sentences, from the rows that `analysis.break_even` makes."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from forwardbench.analysis.break_even import AGAINST, NEVER, NOT_SHOWN, PAYS
from forwardbench.analysis.findings import name_setting, settings
from forwardbench.analysis.rows import work
from forwardbench.results import HOST
from forwardbench.units import format_seconds

_MANY = 1e9
"""A number of calls with more digits is written with an exponent."""
NAMED = 3
"""The most implementations that a sentence names; those that pay soonest come first."""


def payoff(break_evens: pd.DataFrame) -> str:
    """Say after how many calls compiling pays, on the largest case on which it does.

    With several settings it describes the first.
    """
    judged = break_evens[break_evens["verdict"] != ""]
    if judged.empty:
        return f"No first call could be compared with {AGAINST}"
    rows, *others = settings(judged)
    rows = rows.assign(work=work(rows))
    paying = rows[rows["verdict"] == PAYS]
    largest = rows["work"] == (paying if len(paying) else rows)["work"].max()
    case = rows.loc[largest, "case"].iloc[0]
    parts = _parts(rows[rows["case"] == case])
    at = f"{name_setting(rows)}: at" if others else "At"
    return f"{at} {case}, against {AGAINST}, compiling {'; '.join(parts)}"


def _parts(rows: pd.DataFrame) -> list[str]:
    """Say which implementations pay and when, which are not shown to pay, and which never do."""
    paying = rows[rows["verdict"] == PAYS].sort_values("calls", kind="stable")
    when = [
        f"{_calls(row)} with {row['implementation']}" for _, row in paying.head(NAMED).iterrows()
    ]
    when += [f"more with {len(paying) - NAMED} others"] if len(paying) > NAMED else []
    parts = [f"pays after {', '.join(when)}"] if when else []
    for verdict, words in ((NOT_SHOWN, "is not shown to pay"), (NEVER, "never pays")):
        names = rows.loc[rows["verdict"] == verdict, "implementation"]
        parts += [f"{words} with {' and '.join(names)}"] if len(names) else []
    return parts


def calls_words(row: pd.Series[Any]) -> str:
    """After how many calls a first call is paid for, as in `1,230 (1,100 to 1,400)`."""
    calls, low, high = (format_calls(row[name]) for name in ("calls", "calls_low", "calls_high"))
    if row["verdict"] == "":
        return ""
    if row["verdict"] == NEVER:
        return "never"
    if row["verdict"] == PAYS:
        return f"{calls} ({low} to {high})" if low != high else calls
    if calls and pd.isna(row["calls_high"]):
        return f"{calls} (no interval)"
    return f"not shown (at least {low})" if low and row["calls_low"] > 1 else "not shown"


def _calls(row: pd.Series[Any]) -> str:
    words = calls_words(row)
    return f"{words} call" if words == "1" else f"{words} calls"


def format_calls(calls: float) -> str:
    """Write a number of calls, rounded up to a whole number; empty where there is none."""
    if not math.isfinite(calls):
        return ""
    whole = float(f"{math.ceil(calls * (1 - 1e-9)):.3g}")
    return f"{whole:,.0f}" if whole < _MANY else f"{whole:g}".replace("+0", "").replace("+", "")


def describe_first_call(row: pd.Series[Any]) -> str:
    """Describe one first call in a sentence: what it costs, and after how many calls it pays."""
    first = f"first call {format_seconds(row['first'])}"
    if pd.notna(row["first_low"]):
        low, high = format_seconds(row["first_low"]), format_seconds(row["first_high"])
        first += f" (95 % interval {low} to {high})"
    words = {PAYS: f"pays after {_calls(row)}", NEVER: "never pays"}
    pays = words.get(row["verdict"], f"calls after which it pays: {calls_words(row)}")
    return (
        f"{row['implementation']} at {row['case']}: {first}, then {format_seconds(row['seconds'])} "
        f"a call where {row['against']} takes {format_seconds(row['against_seconds'])}: {pays}"
    )


def first_call_problems(break_evens: pd.DataFrame) -> list[str]:
    """One line for each implementation and reason for which no number of calls is known."""
    lines = []
    lacking = break_evens[break_evens["reason"] != ""]
    groups = lacking.groupby(["implementation", "reason", HOST], sort=False)
    for (name, reason, host), rows in groups:
        on = f" on {host}" if host else ""
        also = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        lines.append(f"{name} at {rows['case'].iloc[0]}{also}{on}: {reason}")
    return lines
