"""The command line, as its users meet it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.command_line import FORWARDBENCH, run
from builders.places import ASV, ROOT
from forwardbench.commands.main import main, make_parser
from forwardbench.commands.shared.carry_out import begin
from forwardbench.implementations import requirements
from forwardbench.measure.run_options import RunOptions
from forwardbench.outputs import charts, exports


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
        files = {path.stem for path in Path(folder.__path__[0]).glob("*.py")} - {"__init__"}
        assert {*offered} == {stem.replace("_", "-") for stem in files} - elsewhere


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
    assert re.fullmatch(
        r"matmul +verified +165 checks, errors at most \d+% of their bounds \(seed \d+\)", first
    )
    assert re.fullmatch(r"missing_bias +rejected +1x2-2 .* times the bound \(seed \d+\)", second)
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
        (["run", "--passes", "0"], "--passes must be 1 to 10,000"),
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
