"""One JSON document with everything that the table holds, and where it is from."""

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
"""Changes whenever a key changes its name or meaning, or is taken away."""
ORDER = 3
SUMMARY = "all of it with where it was measured"
FILE = "results.json"
OFFERED = True


def write(bundle: Bundle) -> str:
    """Origin, rows and first calls; what is not known is null, since JSON has no NaN.

    So is what is infinite: a number of calls that never pays, whose ``verdict`` says so.
    """
    results, table = bundle.results, bundle.table
    document = {
        "format_version": FORMAT_VERSION,
        "forwardbench_version": __version__,
        "tool": _known(results.origin.tool),
        "machine": _known(results.machine),
        "commit": _known(results.commit),
        "workload_version": _known(results.origin.workload),
        "facts": dict(results.origin.facts),
        "rows": [
            _row(row, passes)
            for row, passes in zip(table.to_dict("records"), bundle.evidence.passes, strict=True)
        ],
        "first_calls": [
            {name: _known(row[name]) for name in break_even.COLUMNS}
            for row in bundle.break_evens.to_dict("records")
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _row(row: dict[Any, Any], passes: tuple[float, ...]) -> dict[str, Any]:
    """One row: `COLUMNS`, and the seconds of each pass."""
    return {
        **{name: _known(row[name]) for name in COLUMNS},
        "pass_seconds": [_known(seconds) for seconds in passes],
    }


def _known(value: Any) -> Any:
    """A value that JSON has; None for an empty text and for what is not a finite number."""
    if value is pd.NA or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
