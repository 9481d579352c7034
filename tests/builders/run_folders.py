"""Run folders with given times, as `forwardbench run` leaves them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forwardbench.cases import parse_case
from forwardbench.records import Cell
from forwardbench.workloads.forward import SWEEPS

MACHINE = {"cpu": {"brand_raw": "Made-up CPU", "count": 2}, "blas": "OpenBLAS 0.3 Test"}
COMMIT = {"id": "0123456789abcdef", "dirty": False}

Times = Mapping[str, Mapping[str, list[Any]]]
"""Label, then case, then one time a pass: a text is a reason for which that cell failed in that
pass, and None is no measurement."""


def make_cell(label: str, case: str, sweep: str = "square") -> Cell:
    """Make a cell from a label and a case in its notation; a label may say control."""
    known = [c for c in SWEEPS[sweep].cases if str(c) == case] if sweep in SWEEPS else []
    name = label.removesuffix(" (control)")
    return Cell(name, name, sweep, (known or [parse_case(case)])[0], control=name != label)


def benchmark_json(cell: Cell, seconds: float, **info: Any) -> dict[str, Any]:
    """Make the entry of one cell in a pytest-benchmark JSON."""
    return {
        "name": f"test_forward[{cell}]",
        "extra_info": {"cell": cell.to_json(), "workload_version": 1, "error": 1e-16, **info},
        "stats": {"median": seconds},
    }


def write_run(
    folder: Path,
    times: Times,
    *,
    skipped: Mapping[tuple[str, str], Any] | None = None,
    sweep: str = "square",
    baseline: str = "python_loops",
    ceilings: Iterable[Mapping[str, Any]] = (),
    **changes: Any,
) -> Path:
    """Write a run folder with the given times, and changes of every cell.

    ``skipped`` maps label and case to an estimate of seconds, low and high.
    """
    cells = {
        (label, case): replace(make_cell(label, case, sweep), **changes)
        for label, row in times.items()
        for case in row
    }
    left_out = [
        {
            "cell": replace(make_cell(label, case, sweep), **changes).to_json(),
            "status": "skipped",
            "reason": "predicted 9 s a call, over the limit of 1 s",
            "estimate": estimate,
        }
        for (label, case), estimate in (skipped or {}).items()
    ]
    measured = {cell: times[label][case] for (label, case), cell in cells.items()}
    return write_cells(folder, measured, left_out, baseline=baseline, ceilings=ceilings)


def write_cells(
    folder: Path,
    measured: Mapping[Cell, list[Any]],
    left_out: Iterable[Mapping[str, Any]] = (),
    *,
    baseline: str = "python_loops",
    ceilings: Iterable[Mapping[str, Any]] = (),
) -> Path:
    """Write a run folder with one time a pass for each cell, as in `Times`.

    ``left_out`` holds entries of `run.json` for cells that were not measured.
    """
    folder.mkdir()
    document = {
        "request": {"baseline": baseline},
        "ceilings": list(ceilings),
        "measured": [{"cell": cell.to_json(), "expected_seconds": 1} for cell in measured],
        "skipped": list(left_out),
    }
    (folder / "run.json").write_text(json.dumps(document))
    for number in range(max((len(each) for each in measured.values()), default=0)):
        one = _pass(measured, number)
        (folder / f"pass-{number + 1:03d}.json").write_text(json.dumps(one))
    return folder


def _pass(measured: Mapping[Cell, list[Any]], number: int) -> dict[str, Any]:
    """What the file of one pass holds."""
    entries, failures = [], {}
    for cell, times in measured.items():
        seconds = times[number : number + 1] or [None]
        if isinstance(seconds[0], str):
            failures[str(cell)] = seconds[0]
        elif seconds[0] is not None:
            entries.append(benchmark_json(cell, seconds[0]))
    documents = {"machine_info": MACHINE, "commit_info": COMMIT, "benchmarks": entries}
    return {**documents, "failures": failures}


def rewrite(folder: Path, change: Any) -> None:
    """Change every pass' file."""
    for path in folder.glob("pass-*.json"):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))


QUIET = (1.0, 1.004, 0.996, 1.002, 0.998)
"""How passes vary on a machine that does nothing else."""


def spread(seconds: float, factors: Iterable[float]) -> list[float]:
    """One time for each pass."""
    return [seconds * factor for factor in factors]


def times_of_two_runs(
    factors: tuple[float, float] = (1.0, 1.0),
    machine: float = 1.0,
    cases: Iterable[str] = ("4x4-4", "64x64-64"),
) -> tuple[Times, Times]:
    """Times of two runs: in the second, of a machine so much slower, two have their own factor."""
    base = {"python_loops": 1e-3, "matmul": 1e-5, "neuron_dot": 1e-4}
    unchanged = dict.fromkeys(base, 1.0)
    changes = {"matmul": factors[0], "neuron_dot": factors[1]}
    changed = {name: machine * changes.get(name, 1.0) for name in base}
    first, second = (
        {
            name: {
                # Passes vary in another order for each implementation and side.
                case: spread(seconds * slower[name], np.roll(QUIET, place + 2 * side))
                for case in cases
            }
            for place, (name, seconds) in enumerate(base.items())
        }
        for side, slower in enumerate((unchanged, changed))
    )
    return first, second
