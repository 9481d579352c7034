"""The command line, as its users meet it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.places import ASV, CONTENDERS, ROOT
from builders.waiting import PATIENCE, wait_until
from forwardbench.commands.carry_out import begin
from forwardbench.commands.main import main, make_parser
from forwardbench.implementations import requirements
from forwardbench.measure.options import RunOptions
from forwardbench.outputs import charts, exports
from forwardbench.processes import available_cpus

FORWARDBENCH = [sys.executable, "-m", "forwardbench"]


def run(*arguments, cwd=None, **environment):
    """Run the command in a process of its own."""
    return subprocess.run(
        [*FORWARDBENCH, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment},
    )  # fmt: skip


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


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--kind", "cost"], {"cost-square.svg", "cost-square.png"}),
        (["--kind", "time", "--format", "pdf"], {"time-square.pdf"}),
        (["--kind", "time", "--dark", "--format", "svg"], {"time-square-dark.svg"}),
        (
            ["--kind", "time", "--x", "multiply-adds", "--format", "svg"],
            {"time-square-by-multiply-adds.svg"},
        ),
    ],
)
def test_charts_are_drawn_as_asked(options, names, write_run, ladder, tmp_path):
    """Kinds, formats, axis and colours; the files' names tell them apart."""
    folder = tmp_path / "out"
    assert main(["chart", str(write_run(ladder)), "--output", str(folder), *options]) == 0
    assert {path.name for path in folder.iterdir()} == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "gif"], "no format 'gif': choose from svg, png, pdf"),
        (["--kind", "history"], "has one commit only: a history needs asv's results of two"),
        (["--baseline", "torch"], "no baseline 'torch' there"),
    ],
)
def test_charts_that_cannot_be_drawn_are_one_line(options, message, write_run, ladder, capsys):
    """What, why, what to do; status 2."""
    assert main(["chart", str(write_run(ladder)), *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.slow
def test_asvs_results_are_charted_with_their_history(tmp_path, capsys):
    """Every kind of the newest commit, and one over commits."""
    arguments = ["chart", str(ASV), "--format", "svg", "--output", str(tmp_path)]
    assert main(arguments) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"history-commits.svg", "time-square.svg", "samples-course.svg"} <= names
    assert "At 2330662e times are " in (tmp_path / "history-commits.svg").read_text()
    assert capsys.readouterr().out == f"Charts: {tmp_path} (11 files)\n"


@pytest.mark.slow
def test_asvs_results_have_a_report(tmp_path):
    """With the history in it, and with what its intervals are."""
    page = tmp_path / "report.html"
    assert main(["report", str(ASV), "--output", str(page), "--charts"]) == 0
    text = page.read_text()
    assert "Did a commit make anything slower?" in text
    assert "interval of one run&#39;s samples" in text
    assert (tmp_path / "charts" / "history-commits.svg").exists()


def test_an_export_goes_to_stdout_or_to_a_file(write_run, ladder, tmp_path, capsys):
    """The same text; a file is written whole, and a folder that is not there is one line."""
    folder = str(write_run(ladder))
    assert main(["export", folder]) == 0
    text = capsys.readouterr().out
    assert text.startswith("implementation,sweep,case,")
    path = tmp_path / "table.csv"
    assert main(["export", folder, "--output", str(path)]) == 0
    assert path.read_text() == text
    assert main(["export", folder, "--output", str(tmp_path / "no" / "x")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_an_export_can_go_through_a_pipe(write_run, ladder):
    """/dev/stdout stays what it is."""
    done = run("export", write_run(ladder), "--output", "/dev/stdout")
    assert done.stdout.startswith("implementation,sweep,case,")
    assert Path("/dev/stdout").is_symlink()


def test_the_commands_choices_are_the_files_of_the_catalogue():
    """Each chart of results and each export is offered; a forest needs a comparison."""
    (commands,) = [a.choices for a in make_parser()._actions if isinstance(a.choices, dict)]
    for command, option, folder, elsewhere in (
        ("chart", "--kind", charts, {"forest"}), ("export", "--format", exports, set()),
    ):  # fmt: skip
        offered = commands[command]._option_string_actions[option].choices
        files = {path.stem for path in Path(folder.__file__).parent.glob("*.py")} - {"__init__"}
        assert {*offered} == {stem.replace("_", "-") for stem in files} - elsewhere


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


@pytest.mark.slow
def test_pytest_benchmarks_own_json_is_accepted(tmp_path):
    """What `pytest --benchmark-only` measures has the run's names and can be shown."""
    path = tmp_path / "hand.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--benchmark-only", f"--benchmark-json={path}", "-q",
         "-k", "course and (1x2-3 or 1x2-2) and (python or matmul)", "tests/test_benchmarks.py"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert "8 passed" in done.stdout
    assert "test_forward[python_loops-course-1x2-3-float64-1]" in done.stdout
    assert "benchmark 'course 1x2-3 float64, threads: 1': 4 tests" in done.stdout
    shown = run("show", path)
    assert shown.returncode == 0
    assert shown.stdout.count("python_loops") == 4


def test_list_names_families_rungs_and_sweeps(capsys):
    """Each with its first line; rungs below their family."""
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    families = [line.split()[0] for line in lines if re.match(r"[a-z_]+  ", line)]
    assert families == ["ladder", "compiled", "frameworks", "gpu", "larger_than_memory"]
    assert "compiled             Loops compiled to machine code." in lines
    below = lines[lines.index("compiled             Loops compiled to machine code.") + 1]
    assert below.startswith("  numba_fused        ")
    assert "  matmul             One np.matmul for the whole batch: the vectorized form." in lines
    assert "  square             batch = inputs = units, from 1 to 1024: 11 cases" in lines


def test_verify_says_what_it_found_of_each(capsys, contenders):
    """One line each, and status 1 because one of them is wrong."""
    wrong = contenders / "wrong" / "missing_bias.py"
    status = main(["verify", "--implementation", "matmul", "--implementation", str(wrong)])
    first, second = capsys.readouterr().out.splitlines()
    assert status == 1
    assert re.fullmatch(r"matmul +verified +121 checks, errors at most \d+% of their bounds", first)
    assert re.fullmatch(r"missing_bias +rejected +1x2-2 .* times the bound", second)
    assert main(["verify", "--implementation", "matmul"]) == 0


def one_line(text):
    """The only line of a text."""
    (line,) = text.splitlines()
    return line


def test_a_family_is_verified_and_run_by_its_name(monkeypatch, capsys, tmp_path):
    """What cannot run is unavailable and no failure; asked for by its own name, it is one."""
    monkeypatch.setattr(requirements, "_is_installed", lambda module: module != "dask")
    assert main(["verify", "--implementation", "larger_than_memory"]) == 0
    assert re.match(r"dask_array +unavailable +needs dask, which", capsys.readouterr().out)
    assert main(["verify", "--implementation", "dask_array"]) == 1
    capsys.readouterr()
    assert main(["run", "--implementation", "larger_than_memory"]) == 2
    assert one_line(capsys.readouterr().err).startswith(
        "forwardbench: nothing in the family larger_than_memory can run here: dask_array: needs "
    )
    monkeypatch.setattr(requirements, "_is_installed", lambda module: module != "jax")
    begin(RunOptions.of(implementations=["frameworks"], output=str(tmp_path / "run")))
    assert "Left out: jax_cpu: needs jax, which is not installed: pip" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--sweep", "round"], "there is no sweep 'round': choose from square, sample"),
        (["run", "--shape", "64"], "'64' is not a case: write BATCHxINPUTS-UNITS"),
        (["run", "--implementation", "x"], "there is no implementation 'x': choose from array"),
        (["run", "--implementation", "no/x.py"], "there is no implementation file 'no/x.py'"),
        (["run", "--baseline", "x"], "the baseline 'x' is not among the contenders: choose from"),
        (["run", "--dtype", "int8"], "there is no dtype 'int8': choose from float64, float32"),
        (["run", "--threads", "0"], "--threads '0' is not possible"),
        (["run", "--passes", "0"], "--passes must be at least 1"),
        (["run", "--passes", "some"], "argument --passes: invalid int value: 'some'"),
        (["run", "--precision", "2"], "--precision must be a share between 0 and 1, as in 0.02"),
        (["run", "--precision", "0.01", "--quick"], "--precision needs at least 10 passes"),
        (["run", "--max-time", "-3"], "--max-time must be a number of seconds above 0"),
        (["run", "--resume", "nowhere"], "there is no run to resume in nowhere"),
        (["run", "--resume", "."], "there is no run to resume in ."),
        (["run", "--resume", "x", "--shape", "1x2-3"], "leave out --shape, or start a new run"),
        (["run", "--resume", ""], "there is no run to resume in ."),
        (["run", "--resume", "x", "--limit", "0"], "leave out --limit, or start a new run"),
        (["run", "--resume", "x", "--quick"], "leave out --quick, or start a new run"),
        (["run", "--limit", "-1"], "--limit must be a number of seconds above 0"),
        (["run", "--output", "."], "exists already: name a new folder with --output"),
        (["run", "--output", "file/run"], "cannot make the folder file/run: Not a directory"),
        (["run", "--output", "/proc/run"], "cannot make the folder /proc/run"),
        (["verify", "--implementation", "x"], "there is no implementation 'x'"),
        (["show", "nowhere"], "there are no results at nowhere"),
        (["show", "."], "is not a run: it holds no run.json"),
        (["show", "file"], "file is torn or is not JSON"),
        (["chart", "file"], "file is torn or is not JSON"),
        (["show"], "the following arguments are required: RESULTS (see forwardbench show --help)"),
        (["fly"], "invalid choice: 'fly'"),
        ([], "the following arguments are required: COMMAND (see forwardbench --help)"),
        (["run", "--fast"], "unrecognized arguments: --fast"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line_and_status_2(arguments, message, tmp_path, monkeypatch, capsys):
    """The line is on stderr, names the choices or the next command, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    try:
        status = main(arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert one_line(captured.err).startswith("forwardbench: ")
    assert message in captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs a mount")
def test_a_full_disk_is_said_in_one_line(tmp_path):
    """A real file system without room: one line, status 2, nothing half-written."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(disk)])
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        (disk / "filler").write_bytes(b"x" * 4096)
        done = run("run", "--quick", "--output", disk / "run")
        assert done.returncode == 2
        assert "No space left on device" in one_line(done.stderr)
        assert [path.name for path in disk.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


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


def test_output_into_a_closed_pipe_is_quiet(small_run):
    """`forwardbench show RUN | true` ends without a complaint."""
    _, folder = small_run
    made = next((folder / "results").iterdir())
    command = f"set -o pipefail; {' '.join(FORWARDBENCH)} show {made} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


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
    """Two passes, then a third with --resume: what was verified is not verified again."""
    options = ["--implementation", "matmul", "--shape", "2x3-2"]
    first = run("run", *options, "--passes", 2, "--output", "made", cwd=tmp_path)
    assert first.returncode == 0
    again = run("run", "--resume", "made", "--passes", 3, cwd=tmp_path)
    assert again.returncode == 0
    assert "in 3 passes, of which 2 are done" in again.stderr
    assert "verified" not in again.stderr
    assert ", 3 passes" in again.stdout
    assert len(list((tmp_path / "made").glob("pass-*.json"))) == 3
    assert "forwardbench run --resume made --passes 10" in again.stderr


@pytest.mark.slow
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


def test_a_framework_that_was_asked_for_and_is_missing_is_trouble(contenders, capsys):
    """A typing error in an import must not pass for a clean run."""
    path = contenders / "broken" / "imports_framework.py"
    assert main(["verify", "--implementation", str(path)]) == 1
    assert re.search(r"imports_framework +unavailable +needs no_such", capsys.readouterr().out)


def test_hostile_names_are_refused_or_shown(tmp_path, capsys, monkeypatch):
    """Blanks, quotes, brackets and other alphabets work; control characters do not."""
    monkeypatch.chdir(tmp_path)
    right = "def forward(x, layers):\n    return None\n"
    for name in ("my file's [red] \N{GREEK SMALL LETTER ALPHA}.py", "a\nb.py", "x (control).py"):
        (tmp_path / name).write_text(right)
    assert (
        main(["verify", "--implementation", "my file's [red] \N{GREEK SMALL LETTER ALPHA}.py"]) == 1
    )
    assert "my file's [red] \N{GREEK SMALL LETTER ALPHA}  rejected" in capsys.readouterr().out
    for name in ("a\nb.py", "x (control).py"):
        assert main(["verify", "--implementation", name]) == 2
        assert "cannot name an implementation: rename it" in one_line(capsys.readouterr().err)


def test_a_path_too_long_for_the_system_gets_one_line(capsys):
    """The system's own words, and no traceback."""
    assert main(["show", "x" * 300]) == 2
    assert "File name too long" in one_line(capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["show", "export", "compare"])
def test_a_reader_that_has_seen_enough_is_no_failure(command, write_run, ladder):
    """As when the output goes through head."""
    folder = write_run(ladder)
    arguments = [str(folder)] * (2 if command == "compare" else 1)
    process = subprocess.Popen([*FORWARDBENCH, command, *arguments], stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait() == 0


def test_a_run_of_controls_only_has_a_page_and_no_charts(write_run, capsys):
    """There is nothing to draw, and that is no error."""
    folder = write_run({"python_loops (control)": {"4x4-4": [1.0, 1.0]}})
    for command in ("show", "chart", "report"):
        assert main([command, str(folder)]) == 0
    assert "(0 files)" in capsys.readouterr().out
