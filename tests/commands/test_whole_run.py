"""One small run, really measured, and what it leaves to its user."""

import re
import subprocess

import pytest

from builders.command_line import FORWARDBENCH, run
from builders.places import CONTENDERS


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """One real run: two shapes, two passes, a file that is right and one that is wrong."""
    folder = tmp_path_factory.mktemp("cli")
    done = run(
        "run", "--shape", "2x3-2", "--shape", "16x8-8-4", "--passes", 2,
        "--implementation", "matmul", "--implementation", CONTENDERS / "right" / "einsum.py",
        "--implementation", CONTENDERS / "wrong" / "missing_bias.py",
        cwd=folder,
    )  # fmt: skip
    return done, folder


def test_a_run_verifies_measures_tabulates_and_charts(small_run):
    """From an empty folder to a table and charts; where they are is the last thing said."""
    done, folder = small_run
    (made,) = (folder / "results").iterdir()
    assert re.fullmatch(r"run-\d{8}-\d{6}", made.name)
    assert {path.name for path in made.iterdir()} == {
        "run.json", "pass-001.json", "pass-002.json", "table.csv", "charts",
        "report.html", ".lock",
    }  # fmt: skip
    assert {path.name for path in (made / "charts").iterdir()} == {
        f"{kind}-shapes.{format}"
        for kind in ("time", "speedup", "cost", "heatmap", "samples") for format in ("svg",)
    }  # fmt: skip
    assert f"Report: results/{made.name}/report.html" in done.stdout
    assert f"forwardbench show results/{made.name}" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_data_goes_to_stdout_and_the_rest_to_stderr(small_run):
    """A pipe gets the table; plan, verdicts and progress do not get into it."""
    done, _ = small_run
    assert "speedup over python_loops, 2 passes" in done.stdout
    assert re.search(r"einsum +verified", done.stderr)
    assert "Measuring" in done.stderr
    assert "The baseline is python_loops" in done.stderr
    assert "Pass 2 of 2 is done" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_rejected_contender_is_named_and_makes_the_exit_status_1(small_run):
    """The others are measured; its cells say rejected, and the table says why."""
    done, folder = small_run
    joined = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert re.search(r"missing_bias: 2 cells rejected, first 2x3-2: .* times the bound", joined)
    table = next(folder.glob("results/*/table.csv")).read_text()
    assert table.count(",rejected,") == 2
    assert table.count(",measured,") >= 6


def test_show_and_chart_work_from_the_files_alone(small_run, tmp_path):
    """A run's folder and any of its passes are shown and drawn again."""
    _, folder = small_run
    made = next((folder / "results").iterdir())
    for results in (made, made / "pass-001.json"):
        shown = run("show", results)
        assert shown.returncode == 0
        assert all(line.startswith("Warning: ") for line in shown.stderr.splitlines())
        assert "16x8-8-4" in shown.stdout
        charts = tmp_path / results.name
        drawn = run("chart", results, "--output", charts)
        assert drawn.stdout == f"Charts: {charts} (10 files)\n"
        assert len(list(charts.iterdir())) == 10


def test_charts_are_redrawn_the_same(small_run, tmp_path):
    """The files of the run and those drawn later are the same bytes."""
    _, folder = small_run
    made = next((folder / "results").iterdir())
    run("chart", made, "--output", tmp_path)
    for path in (made / "charts").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_another_baseline_is_shown_on_request(small_run):
    """And one that was not measured is refused with those that were."""
    _, folder = small_run
    made = next((folder / "results").iterdir())
    assert "speedup over matmul" in run("show", made, "--baseline", "matmul").stdout
    refused = run("show", made, "--baseline", "torch")
    assert refused.returncode == 2
    assert "no baseline 'torch' there: choose from einsum, " in refused.stderr


def test_output_into_a_closed_pipe_is_quiet(small_run):
    """`forwardbench show RUN | true` ends without a complaint."""
    _, folder = small_run
    made = next((folder / "results").iterdir())
    command = f"set -o pipefail; {' '.join(FORWARDBENCH)} show {made} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Warning: ")]
    assert complaints == []
