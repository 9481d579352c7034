"""CSV with one row per cell and pass."""

from __future__ import annotations

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.text import as_csv

ORDER = 2
SUMMARY = "every cell's time in every pass"
FILE = "samples.csv"
OFFERED = True


def write(bundle: Bundle) -> str:
    """The results' samples, without a timing tool's own intervals."""
    return as_csv(bundle.results.samples.drop(columns=["low", "high"]))
