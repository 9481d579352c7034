"""CSV with one row per cell whose first call was timed: a run's `break-even.csv`."""

from __future__ import annotations

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.text import as_csv

ORDER = 4
SUMMARY = "first calls, and after how many each pays"
FILE = "break-even.csv"
KEPT = OFFERED = True


def is_empty(bundle: Bundle) -> bool:
    """Whether no first call was timed."""
    return bundle.break_evens.empty


def write(bundle: Bundle) -> str:
    """The columns of `analysis.break_even.COLUMNS`; unknown values are empty."""
    return as_csv(bundle.break_evens)
