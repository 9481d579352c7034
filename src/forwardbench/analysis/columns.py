"""The columns of the table that everything is shown from."""

from __future__ import annotations

from forwardbench.results import HOST

COLUMNS = [
    "implementation", "sweep", "case", "batch", "widths", "activation", "dtype", "threads",
    "status", "reason", "passes", "seconds", "seconds_low", "seconds_high", "baseline",
    "speedup", "speedup_low", "speedup_high", "gflops", "error", "machine", "commit",
    "control_of", "credible", HOST, "workload",
]  # fmt: skip
"""The columns of `table.csv`, in its order. Times are seconds a call.

``control_of`` is filled for controls only. ``credible`` says whether this machine can be as fast
as was measured, and is empty for cells that were not measured. ``reason`` says why a cell has no
time, or none that is credible.
"""
TEXT_COLUMNS = frozenset(
    {
        "implementation", "sweep", "case", "widths", "activation", "dtype", "status", "reason",
        "baseline", "machine", "commit", "control_of", HOST, "workload", "against", "verdict",
        "obstacle", "status_before", "status_after",
    }
)  # fmt: skip
"""The columns of this table, and of the tables made from it, that hold text."""
SETTING = ["workload", "sweep", "dtype", "threads", HOST]
"""Columns that are constant over one panel of a chart."""
PLACE = ["workload", "sweep", "case", "activation", "dtype", "threads", HOST]
"""Columns that identify a cell apart from its implementation: what is computed, and where."""
