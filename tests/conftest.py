"""What several test files share."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from forwardbench import results
from forwardbench.analysis.table import summarize
from forwardbench.cases import parse_case
from forwardbench.measure import environment
from forwardbench.records import Cell
from forwardbench.workloads.forward import SWEEPS

# What these tests are told is not for a pytest that one of them starts.
for name in [name for name in os.environ if name.startswith(("PYTEST_ADDOPTS", "PYTEST_XDIST"))]:
    del os.environ[name]

# How long an example takes is the machine's business, never a reason to fail.
settings.register_profile("forwardbench", deadline=None)
settings.load_profile("forwardbench")

MACHINE = {"cpu": {"brand_raw": "Made-up CPU", "count": 2}, "blas": "OpenBLAS 0.3 Test"}
COMMIT = {"id": "0123456789abcdef", "dirty": False}


def pytest_benchmark_update_machine_info(machine_info):
    """Say what the benchmarks ran on, in the same words as a run's workers do."""
    machine_info.update(environment.describe_machine())
    machine_info.complete_machine_info(machine_info)


@pytest.fixture
def contenders():
    """The folder of right, wrong and broken implementations."""
    return Path(__file__).parent / "contenders"


@pytest.fixture
def bad(tmp_path):
    """Write a contender that computes rightly until it is asked for the larger case."""

    def write(name, deed):
        path = tmp_path / f"{name}.py"
        path.write_text(
            "import numpy as np, os, sys, time\n"
            "kept = {}\n"
            "def plain(x, layers):\n"
            "    for w, b, g in layers:\n        x = 0.5 * np.tanh(0.5 * (x @ w + b)) + 0.5\n"
            "    return x\n"
            "def forward(x, layers):\n"
            f"    if len(layers) == 2:\n        {deed}\n"
            "    return plain(x, layers)\n"
        )
        return path

    return write


def make_cell(label, case, sweep="square"):
    """Make a cell from a label and a case in its notation; a label may say control."""
    known = [c for c in SWEEPS[sweep].cases if str(c) == case] if sweep in SWEEPS else []
    name = label.removesuffix(" (control)")
    return Cell(name, name, sweep, (known or [parse_case(case)])[0], control=name != label)


def benchmark_json(cell, seconds, **info):
    """Make the entry of one cell in a pytest-benchmark JSON."""
    return {
        "name": f"test_forward[{cell}]",
        "extra_info": {"cell": cell.to_json(), "workload_version": 1, "error": 1e-16, **info},
        "stats": {"median": seconds},
    }


@pytest.fixture
def write_run(tmp_path):
    """Write a run folder with the given seconds: label, then case, then one time a pass.

    A time that is a string is a reason for which that cell failed in that pass; None is no
    measurement. ``skipped`` maps label and case to an estimate of seconds, low and high.
    """

    def write(
        times,
        *,
        skipped=(),
        sweep="square",
        baseline="python_loops",
        name="run",
        ceilings=(),
        **changes,
    ):
        folder = tmp_path / name
        folder.mkdir()
        cells = {
            (label, case): replace(make_cell(label, case, sweep), **changes)
            for label, row in times.items()
            for case in row
        }
        document = {
            "request": {"baseline": baseline},
            "ceilings": list(ceilings),
            "measured": [
                {"cell": cell.to_json(), "expected_seconds": 1} for cell in cells.values()
            ],
            "skipped": [
                {
                    "cell": replace(make_cell(label, case, sweep), **changes).to_json(),
                    "status": "skipped",
                    "reason": "predicted 9 s a call, over the limit of 1 s",
                    "estimate": estimate,
                }
                for (label, case), estimate in dict(skipped).items()
            ],
        }
        (folder / "run.json").write_text(json.dumps(document))
        passes = max((len(each) for row in times.values() for each in row.values()), default=0)
        for number in range(passes):
            entries, failures = [], {}
            for (label, case), cell in cells.items():
                seconds = times[label][case][number : number + 1] or [None]
                if isinstance(seconds[0], str):
                    failures[str(cell)] = seconds[0]
                elif seconds[0] is not None:
                    entries.append(benchmark_json(cell, seconds[0]))
            one = {"machine_info": MACHINE, "commit_info": COMMIT, "benchmarks": entries}
            path = folder / f"pass-{number + 1:03d}.json"
            path.write_text(json.dumps({**one, "failures": failures}))
        return folder

    return write


@pytest.fixture
def make_table(write_run):
    """Make the table of a run written with `write_run`."""

    def make(times, **options):
        asked = options.pop("asked_baseline", None)
        return summarize(results.load(write_run(times, **options)), asked)

    return make


@pytest.fixture
def ladder():
    """Times of three implementations and a control at five sizes, in three passes."""
    base = {"1x1-1": 1e-6, "4x4-4": 4e-6, "16x16-16": 2e-4, "64x64-64": 8e-3, "256x256-256": 0.5}
    fast = {"1x1-1": 4e-6, "4x4-4": 4e-6, "16x16-16": 5e-6, "64x64-64": 2e-5, "256x256-256": 1e-3}
    slow = {case: 5 * seconds for case, seconds in base.items() if case != "256x256-256"}
    noise = (1.0, 1.02, 0.99)

    def passes(row, factors=noise):
        return {case: [seconds * factor for factor in factors] for case, seconds in row.items()}

    return {
        "python_loops": passes(base),
        "python_loops (control)": passes(base, (1.01, 1.02, 0.98)),
        "matmul": passes(fast, (1.0, 1.01, 1.01)),
        "ndarray_loops": passes(slow),
    }
