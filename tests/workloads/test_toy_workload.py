"""A workload that lies outside the package goes all the way, with nothing in it changed."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNGS = [str(HERE / "toy_rungs" / f"moment_{name}.py") for name in ("loops", "matmul", "wrong")]


def forwardbench(*arguments, status=0):
    """Run the real command where the toy's folder is named; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "forwardbench", *map(str, arguments)],
        env={**os.environ, "FORWARDBENCH_WORKLOADS": str(HERE / "toy"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def named(*references):
    """Name implementations on the command line."""
    return [part for reference in references for part in ("--implementation", reference)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small run of the toy."""
    folder = tmp_path_factory.mktemp("toy") / "run"
    forwardbench(
        "run", "--workload", "moments", *named(*RUNGS[:2]), "--baseline", "moment_loops",
        "--visits", "1", "--passes", "2", "--output", folder,
    )  # fmt: skip
    return folder


@pytest.mark.slow
def test_right_rungs_are_verified_and_wrong_ones_rejected():
    """By the toy's own reference, in every array; a rung without its function has failed."""
    lines = forwardbench(
        "verify", "--workload", "moments", *named(*RUNGS, "matmul"), status=1
    ).splitlines()
    verdicts = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines}
    assert {name: verdict[0] for name, verdict in verdicts.items()} == {
        "moment_loops": "verified", "moment_matmul": "verified", "moment_wrong": "rejected",
        "matmul": "failed",
    }  # fmt: skip
    assert "of products: " in verdicts["moment_wrong"][1]
    assert verdicts["matmul"][1] == "has no function moments(x, targets, layers)"


@pytest.mark.slow
def test_a_run_measures_the_toys_own_sweep_and_says_whose_it_is(run):
    """Cells, their names and the version of the inputs are the toy's; each result was checked."""
    document = json.loads((run / "run.json").read_text())
    assert document["request"]["workload"] == "moments"
    assert list(document["request"]["sweeps"]) == ["features"]
    assert (document["workload_version"], document["skipped"]) == (3, [])
    entries = json.loads((run / "pass-002.json").read_text())["benchmarks"]
    assert {entry["extra_info"]["cell"]["workload"] for entry in entries} == {"moments"}
    assert all(entry["name"].startswith("test_moments[moment_") for entry in entries)
    assert len(entries) == 3 * (2 + 2)  # with a control of each
    assert all(0 <= entry["extra_info"]["error"] < 1e-12 for entry in entries)


@pytest.mark.slow
def test_results_of_the_toy_are_shown_and_drawn(run, tmp_path):
    """By the commands that read results, which are told nothing but the folder."""
    shown = forwardbench("show", run)
    assert shown.count("moment_matmul") >= 3
    table = list(csv.DictReader(io.StringIO(forwardbench("export", run))))
    assert {row["case"] for row in table} == {"8x1-3", "8x8-3", "8x64-3"}
    assert {row["status"] for row in table} == {"measured"}
    forwardbench(
        "chart", run, "--kind", "speedup", "--format", "svg", "--output", tmp_path / "charts"
    )
    (chart,) = (tmp_path / "charts").glob("*.svg")
    assert "moment_matmul" in chart.read_text(encoding="utf-8")
