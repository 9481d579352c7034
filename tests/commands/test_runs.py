"""Runs that are stopped, extended, or have nothing to measure."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from builders.command_line import FORWARDBENCH, run
from builders.waiting import PATIENCE, wait_until
from forwardbench.processes import available_cpus


@pytest.mark.parametrize(
    ("number", "status", "line"),
    [(signal.SIGINT, 130, "forwardbench: interrupted; go on with: "), (signal.SIGTERM, 143, "")],
)
def test_a_run_that_is_stopped_leaves_no_process_behind(tmp_path, number, status, line):
    """In verification: one line at most, the signal's status, and the contender is gone too."""
    mark = tmp_path / "alive"
    (tmp_path / "hangs.py").write_text(
        "import pathlib, time\n"
        "def forward(x, layers):\n"
        f"    while True:\n        pathlib.Path({str(mark)!r}).touch()\n        time.sleep(0.02)\n"
    )
    child = subprocess.Popen(
        [*FORWARDBENCH, "run", "--implementation", "hangs.py", "--baseline", "hangs"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(mark.exists)
    child.send_signal(number)
    _, stderr = child.communicate(timeout=PATIENCE)
    mark.unlink(missing_ok=True)
    time.sleep(0.3)
    assert child.returncode == status
    assert stderr.count("\n") == bool(line)
    assert stderr.startswith(line)
    assert not mark.exists()


@pytest.mark.slow
def test_ctrl_c_while_measuring_shows_what_there_is(tmp_path):
    """After one pass of many: the table, how far it came, and status 130."""
    child = subprocess.Popen(
        [*FORWARDBENCH, "run", "--implementation", "matmul", "--shape", "2x3-2", "--passes", "500"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: [*tmp_path.glob("results/*/pass-002.json")])
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    assert re.search(r"The run ended after \d+ of 500 passes", stderr)
    assert "speedup over python_loops" in stdout
    assert "Traceback" not in stderr
    (made,) = (tmp_path / "results").iterdir()
    assert stderr.splitlines()[-1].endswith(f"forwardbench run --resume results/{made.name}")


@pytest.mark.slow
def test_a_run_is_extended_with_more_passes(tmp_path):
    """Two passes, then a third with --resume: what is measured is verified again."""
    options = ["--implementation", "matmul", "--shape", "2x3-2"]
    first = run("run", *options, "--passes", 2, "--output", "made", cwd=tmp_path)
    assert first.returncode == 0
    again = run("run", "--resume", "made", "--passes", 3, cwd=tmp_path)
    assert again.returncode == 0
    assert "in 3 passes, of which 2 are done" in again.stderr
    assert re.search(r"^matmul +verified +\d+ checks", again.stderr, re.MULTILINE)
    assert ", 3 passes" in again.stdout
    assert len(list((tmp_path / "made").glob("pass-*.json"))) == 3
    assert "forwardbench run --resume made --passes 10" in again.stderr


@pytest.mark.exhaustive
def test_a_run_goes_on_until_it_is_precise(tmp_path):
    """Asked for more than can be had in the time, it adds passes and then says so in the table."""
    done = run(
        "run", "--implementation", "matmul", "--shape", "2x3-2",
        "--precision", 0.0001, "--max-time", 9, "--output", "made", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Then cells with wider intervals than 0.0001 of their speedup again" in done.stderr
    assert "(for precision)" in done.stderr
    assert 10 < len(list((tmp_path / "made").glob("pass-*.json"))) < 60
    assert "Warning: 9 s were over before" in done.stderr
    assert (
        "cells had the precision 0.0001: forwardbench run --resume made --max-time" in done.stderr
    )


@pytest.mark.slow
def test_threads_are_an_axis_of_the_table(tmp_path):
    """One thread and all there are: a table for each, and what each worker had is stored."""
    done = run(
        "run", "--implementation", "matmul", "--shape", "2x3-2", "--passes", 2,
        "--threads", 1, "--threads", "all", "--output", "made", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0
    counts = {1, len(available_cpus())}
    for count in counts:
        assert f"float64, {count} thread" in done.stdout
    one = json.loads((tmp_path / "made" / "pass-001.json").read_text())
    ran_on = {
        (each["extra_info"]["cell"]["threads"], len(each["extra_info"]["ran_on"]["cpus"]))
        for each in one["benchmarks"]
    }
    if hasattr(os, "sched_setaffinity"):
        assert ran_on == {(count, count) for count in counts}


@pytest.mark.slow
def test_nothing_to_measure_is_not_a_crash(tmp_path, contenders):
    """When every contender is rejected, the run says so and exits 1."""
    wrong = contenders / "wrong" / "zeros.py"
    done = run(
        "run",
        "--implementation",
        wrong,
        "--baseline",
        "zeros",
        "--quick",
        "--output",
        tmp_path / "run",
    )
    assert done.returncode == 1
    assert "Nothing is left to measure" in done.stderr
    assert "Traceback" not in done.stderr
