"""First calls from end to end: asked for on the command line, shown, and added to."""

import csv
import json
import re
import signal
import subprocess
import sys

import pytest

from builders.contenders import SLEEPS
from builders.waiting import wait_until
from forwardbench.commands.main import main
from forwardbench.commands.shared.exit_status import INTERRUPTED
from forwardbench.records import FIRST_CALLS_FILE

pytestmark = pytest.mark.slow


def run(*arguments, cwd):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "forwardbench", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A run of somebody's own file that compiles, against matmul."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "sleeps.py").write_text(SLEEPS)
    done = run(
        "run", "--implementation", "sleeps.py", "--implementation", "matmul", "--baseline",
        "matmul", "--shape", "4x6-3", "--passes", 2, "--first-calls", 2, "--output", "out",
        cwd=folder,
    )  # fmt: skip
    return done, folder


def test_a_run_announces_times_and_shows_first_calls(whole_run):
    """What is said before, the table after, and files with all of it."""
    done, folder = whole_run
    assert done.returncode == 0, done.stderr
    assert re.search(r"Then 2 first calls of sleeps, .*: about \d+ s", done.stderr)
    assert "First calls are done" in done.stderr
    assert "first call, and after how many calls it has paid" in done.stdout
    assert re.search(r"4x6-3 +sleeps +\S+ .s +\d+ ms", done.stdout)
    text = (folder / "out" / "break-even.csv").read_text()
    (values,) = csv.DictReader(text.splitlines())
    assert float(values["first"]) >= 0.12
    assert values["first_calls"] == "2"
    assert "first" not in (folder / "out" / "table.csv").read_text().splitlines()[0]
    assert (folder / "out" / "charts" / "break-even-shapes.svg").exists()
    assert "After how many calls compiling pays" in (folder / "out" / "report.html").read_text()


def test_show_chart_and_report_work_from_the_files_alone(whole_run, capsys):
    """The same table, one chart, and the section of the page."""
    _, folder = whole_run
    assert main(["show", str(folder / "out")]) == 0
    assert "first call, and after how many calls it has paid" in capsys.readouterr().out
    drawn = folder / "drawn"
    arguments = ["chart", str(folder / "out"), "--kind", "break-even", "--format", "svg"]
    assert main([*arguments, "--x", "batch", "--output", str(drawn)]) == 0
    assert [path.name for path in drawn.iterdir()] == ["break-even-shapes.svg"]
    assert main(["report", str(folder / "out"), "--output", str(folder / "page.html")]) == 0
    assert "When does compiling pay?" in (folder / "page.html").read_text()


def test_more_first_calls_are_added_when_resuming(whole_run):
    """Two more to the two that are there, which stay as they are; no pass is made again."""
    _, folder = whole_run
    path = folder / "out" / FIRST_CALLS_FILE
    before = json.loads(path.read_text())["samples"]
    done = run(
        "run", "--resume", "out", "--implementation", "sleeps.py", "--first-calls", 4, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    after = json.loads(path.read_text())["samples"]
    assert len(after) == 4
    assert after[:2] == before
    assert len(list((folder / "out").glob("pass-*.json"))) == 2


def test_a_run_without_first_calls_has_no_such_chart(write_run, ladder, capsys):
    """Asked for, it is one line; unasked, the others are drawn."""
    folder = write_run(ladder)
    assert main(["chart", str(folder), "--kind", "break-even"]) == 2
    said = capsys.readouterr().err
    assert "has no first call that could be compared with matmul" in said
    assert len(said.splitlines()) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_keeps_the_first_calls_it_has(tmp_path, number):
    """In the middle of that stage: Ctrl-C still shows the table, and resuming adds to the file."""
    (tmp_path / "sleeps.py").write_text(SLEEPS)
    kept = tmp_path / "out" / FIRST_CALLS_FILE
    victim = subprocess.Popen(
        [sys.executable, "-m", "forwardbench", "run", "--implementation", "sleeps.py",
         "--implementation", "matmul", "--baseline", "matmul", "--shape", "4x6-3", "--passes", "1",
         "--first-calls", "4", "--output", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(kept.exists)
    assert victim.poll() is None
    victim.send_signal(number)
    said, complaints = victim.communicate()
    if number == signal.SIGINT:
        assert victim.returncode == INTERRUPTED
        assert "first call, and after how many calls it has paid" in said
        assert (
            "interrupted; go on with: forwardbench run --resume out "
            f"--implementation {tmp_path}/sleeps.py"
        ) in complaints
    before = json.loads(kept.read_text())["samples"]
    assert before
    done = run("run", "--resume", "out", "--implementation", "sleeps.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = json.loads(kept.read_text())["samples"]
    assert len(after) == 4
    assert after[: len(before)] == before
