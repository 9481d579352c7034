"""CSV with one row per cell: a run's `table.csv`."""

from __future__ import annotations

from forwardbench.analysis.columns import COLUMNS
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.text import as_csv

ORDER = 1
SUMMARY = "every cell with its intervals"
FILE = "table.csv"
KEPT = OFFERED = True


def write(bundle: Bundle) -> str:
    """The columns of `COLUMNS`, in their order; unknown values are empty."""
    return as_csv(bundle.table[COLUMNS])
