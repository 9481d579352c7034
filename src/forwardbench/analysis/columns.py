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

``control_of`` is empty but for controls. ``credible`` says of what was measured whether this
machine can be so fast, and is empty for the rest; ``reason`` then says why not.
"""
SETTING = ["workload", "sweep", "dtype", "threads", HOST]
"""Columns that are constant over one panel of a chart."""
PLACE = ["workload", "sweep", "case", "activation", "dtype", "threads", HOST]
"""Columns that name a cell without its implementation: what is computed, and where."""
