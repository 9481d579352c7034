"""The columns of the table that everything is shown from."""

from __future__ import annotations

from forwardbench.results import HOST

COLUMNS = [
    "implementation", "sweep", "case", "batch", "widths", "activation", "dtype", "threads",
    "status", "reason", "passes", "seconds", "seconds_low", "seconds_high", "baseline",
    "speedup", "speedup_low", "speedup_high", "gflops", "error", "machine", "commit",
]  # fmt: skip
"""The columns of `table.csv`, in its order. Times are seconds a call."""
PASS_SECONDS = "pass_seconds"  # noqa: S105 (a column, no password)
"""A column of the table in memory: a tuple with the time of each pass, NaN where a pass has none.
Charts of samples and crossovers, which pair passes, are made from it."""
LEVEL_COLUMN = "level"
"""Another one: the level that the run's intervals are computed at."""
HOST_COLUMN = HOST
"""And a third: what tells machines apart, where a table is of several; else empty."""
IN_MEMORY = [PASS_SECONDS, LEVEL_COLUMN, HOST_COLUMN]

SETTING = ["sweep", "dtype", "threads", HOST_COLUMN]
"""Columns that are constant over one chart."""
