"""CSV with one row per cell and pass."""

from __future__ import annotations

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.text import as_csv

ORDER = 2
SUMMARY = "every cell's time in every pass"
FILE = "samples.csv"
OFFERED = True


def write(bundle: Bundle) -> str:
    """The results' samples, without the intervals that a timing tool gave itself."""
    return as_csv(bundle.results.samples.drop(columns=["low", "high"]))
