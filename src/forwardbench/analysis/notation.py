"""How estimated, undecided and implausible values are written, the same everywhere."""

from __future__ import annotations

from typing import Any

import pandas as pd

from forwardbench.analysis.estimates import estimated_speedups
from forwardbench.analysis.noise import NO_DIFFERENCE, verdicts
from forwardbench.records import Status
from forwardbench.units import format_ratio, format_seconds

ESTIMATED_KEY = "~ is estimated, never measured."
UNDECIDED_KEY = f"In brackets: {NO_DIFFERENCE}."


def estimated(text: str) -> str:
    """Mark a value as estimated; an empty text stays empty."""
    return f"~{text}" if text else ""


def undecided(text: str) -> str:
    """Mark a ratio that shows no difference."""
    return f"({text})"


def doubted(text: str) -> str:
    """Mark a measured value that is faster than this machine can be."""
    return f"{text}?"


def with_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that `write_ratio` needs: ``verdict``, and ``guess``, an estimated ratio.

    The rows must include the controls, because the verdicts depend on the noise floor.
    """
    return rows.assign(verdict=verdicts(rows), guess=estimated_speedups(rows)["guess"])


def write_time(row: pd.Series[Any]) -> str:
    """A row's time; empty where it has none."""
    text = format_seconds(row["seconds"])
    return estimated(text) if row["status"] == Status.ESTIMATED else text


def write_ratio(row: pd.Series[Any]) -> str:
    """A row's speedup, measured or estimated; empty where it has none. See `with_words`."""
    if pd.notna(row["guess"]):
        return estimated(format_ratio(row["guess"]))
    text = format_ratio(row["speedup"])
    return undecided(text) if text and row["verdict"] == NO_DIFFERENCE else text
