"""One JSON document with the whole table, the origin of the results, and the first calls."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from forwardbench import __version__
from forwardbench.analysis import break_even
from forwardbench.analysis.columns import COLUMNS
from forwardbench.outputs.bundle import Bundle

FORMAT_VERSION = 1
"""Changes whenever a key changes its name or meaning, or is removed."""
ORDER = 3
SUMMARY = "all of it with where it was measured"
FILE = "results.json"
OFFERED = True


def write(bundle: Bundle) -> str:
    """Origin, rows and first calls; unknown values are null, because JSON has no NaN.

    Infinite values are null too: the number of calls where compiling never pays, which
    ``verdict`` tells.
    """
    results, table = bundle.results, bundle.table
    document = {
        "format_version": FORMAT_VERSION,
        "forwardbench_version": __version__,
        "tool": _json_value(results.origin.tool),
        "machine": _json_value(results.machine),
        "commit": _json_value(results.commit),
        "workload_version": _json_value(results.origin.workload),
        "facts": dict(results.origin.facts),
        "rows": [
            _row(row, passes)
            for row, passes in zip(table.to_dict("records"), bundle.evidence.passes, strict=True)
        ],
        "first_calls": [
            {name: _json_value(row[name]) for name in break_even.COLUMNS}
            for row in bundle.break_evens.to_dict("records")
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _row(row: dict[Any, Any], passes: tuple[float, ...]) -> dict[str, Any]:
    """One row: `COLUMNS`, and the seconds of each pass."""
    return {
        **{name: _json_value(row[name]) for name in COLUMNS},
        "pass_seconds": [_json_value(seconds) for seconds in passes],
    }


def _json_value(value: Any) -> Any:
    """A value that JSON can hold; None for empty texts and numbers that are not finite."""
    if value is pd.NA or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
