"""JSON for github-action-benchmark, as its tool `customSmallerIsBetter` reads it.

A list of objects with name, unit and value, and optionally range and extra. The action finds
the entry of an earlier commit by its name, and reads a range as a number in the value's unit.
"""

from __future__ import annotations

import json
import math
from typing import Any

from forwardbench.analysis.findings import interval_word
from forwardbench.analysis.noise import NO_DIFFERENCE, verdicts
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.tracked_cells import credible_rows, name_entry
from forwardbench.units import format_interval, format_ratio

UNIT = "us"
"""The same in every run, because a chart over commits has one axis."""
ORDER = 6
SUMMARY = "for github-action-benchmark's customSmallerIsBetter"
FILE = "github-action-benchmark.json"


def write(bundle: Bundle) -> str:
    """One entry per credible cell; raises `UserError` where there is none."""
    table = bundle.table
    rows = credible_rows(table.assign(verdict=verdicts(table)), "github-action-benchmark")
    return json.dumps([_entry(row) for row in rows], indent=1, allow_nan=False) + "\n"


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "name": name_entry(row),
        "unit": UNIT,
        "value": _microseconds(row["seconds"], digits=6),
        "extra": f"{_speedup(row)}\npasses: {row['passes']}",
    }
    half_width = (row["seconds_high"] - row["seconds_low"]) / 2
    if math.isfinite(half_width):
        entry["range"] = f"± {_microseconds(half_width, digits=3)}"
    return entry


def _microseconds(seconds: float, digits: int) -> float:
    return float(f"{seconds * 1e6:.{digits}g}")


def _speedup(row: dict[str, Any]) -> str:
    """Say how many times as fast as the baseline a cell is."""
    if row["implementation"] == row["baseline"]:
        return "the baseline"
    if not math.isfinite(row["speedup"]):
        return f"speedup over {row['baseline']} not known"
    parts = [f"speedup over {row['baseline']}: {format_ratio(row['speedup'])}"]
    interval = format_interval(row["speedup_low"], row["speedup_high"])
    if interval:
        # With one pass it is the timing tool's own interval, at any level.
        kind = interval_word(row["passes"])
        parts.append(f"{kind} {interval}")
    if row["verdict"] == NO_DIFFERENCE:
        parts.append(NO_DIFFERENCE)
    return ", ".join(parts)
