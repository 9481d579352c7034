"""JSON that `pyperf compare_to`, `stats`, `show` and `hist` read.

Each pass becomes one of pyperf's runs, with one value. The number of timed calls is not
exported, so pyperf counts one loop and may warn that a value is short: `--quiet` hides that.
"""

from __future__ import annotations

import json
import re
from typing import Any

from forwardbench import __version__
from forwardbench.errors import one_line
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.tracked_cells import credible_rows, name_entry
from forwardbench.results import Results

FORMAT_VERSION = "1.0"
"""The format of pyperf since its version 1.0."""
ORDER = 7
SUMMARY = "for pyperf compare_to"
FILE = "pyperf.json"


def write(bundle: Bundle) -> str:
    """One benchmark per credible cell; raises `UserError` where there is none.

    Controls are left out, since pyperf's geometric mean would count their code twice.
    """
    rows = credible_rows(bundle.table.assign(pass_seconds=bundle.evidence.passes), "pyperf")
    document = {
        "version": FORMAT_VERSION,
        "metadata": _metadata(bundle.results),
        "benchmarks": [_benchmark(row) for row in rows],
    }
    return json.dumps(document, allow_nan=False) + "\n"


def _benchmark(row: dict[str, Any]) -> dict[str, Any]:
    known = [seconds for seconds in row["pass_seconds"] if seconds == seconds]
    return {
        "metadata": {"name": name_entry(row)},
        "runs": [{"values": [seconds]} for seconds in known],
    }


def _metadata(results: Results) -> dict[str, str | int]:
    """Facts about machine and software, under pyperf's names where it has one.

    pyperf accepts neither empty texts nor texts of several lines.
    """
    facts = results.origin.facts
    cpu, count = _split_hardware(results.origin.hardware)
    texts = {
        "cpu_model_name": cpu,
        "platform": facts.get("system", ""),
        "python_version": facts.get("Python", ""),
        "blas": facts.get("BLAS", ""),
        "commit": results.commit,
        "workload_version": results.origin.workload,
        "timed_by": results.origin.tool,
        "forwardbench_version": __version__,
    }
    lines = {name: one_line(text) for name, text in texts.items()}
    known: dict[str, str | int] = {name: line for name, line in lines.items() if line}
    return {"unit": "second", **known, **({"cpu_count": count} if count else {})}


def _split_hardware(hardware: str) -> tuple[str, int]:
    """Split `AMD EPYC, 2 CPUs` into CPU model and count; either may be missing."""
    match = re.fullmatch(r"(?:(.*), )?([0-9]{1,6}) CPUs", hardware)
    return (match[1] or "", int(match[2])) if match else (hardware, 0)
