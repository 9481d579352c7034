"""Which workloads there are, and what is said of those that cannot be had."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders.places import REFERENCE
from forwardbench import implementations, workloads
from forwardbench.analysis import amounts
from forwardbench.commands.main import main
from forwardbench.errors import UserError
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.fingerprint import changes, fingerprint
from forwardbench.measure.request import make_request
from forwardbench.measure.run_options import RunOptions
from forwardbench.workloads import WorkloadError

TOY = Path(__file__).parent / "toy"


@pytest.fixture
def toy(monkeypatch):
    """Name the toy's folder for as long as a test runs."""
    monkeypatch.setenv(workloads.VARIABLE, str(TOY))
    yield
    workloads.get.cache_clear()


def test_files_are_workloads_in_the_package_and_in_folders_that_are_named(toy):
    """A new file is a new workload, and nothing lists them."""
    assert workloads.names() == ["forward", "moments"]
    assert workloads.get("moments") is workloads.get("moments")
    assert workloads.get("moments").signature == "moments(x, targets, layers)"
    assert workloads.get("moments").default_sweeps == ("features",)
    assert workloads.get("forward").axis("features") == ""


@pytest.mark.parametrize("name", ["backward", "", "../cases", "moments.py", "class", "__init__"])
def test_an_unknown_workload_is_refused_with_the_choices(toy, name):
    """A name is looked up among the workloads, and never followed as a path."""
    with pytest.raises(WorkloadError, match="choose from forward, moments") as caught:
        workloads.get(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FUNCTION = 'f'", "is incomplete: AttributeError: .* no attribute 'VERSION'"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("f(", "cannot be imported: SyntaxError"),
    ],
)
def test_a_workload_that_cannot_be_used_is_named_in_one_line(tmp_path, monkeypatch, text, message):
    """With its file, and what is wrong with it."""
    (tmp_path / "half.py").write_text(text)
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path))
    with pytest.raises(WorkloadError, match=message) as caught:
        workloads.get("half")
    assert str(tmp_path / "half.py") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_workloads_of_one_name_and_folders_that_are_none_are_refused(tmp_path, monkeypatch):
    """Which of two was meant cannot be known, nor what a misspelt folder holds."""
    (tmp_path / "forward.py").write_text("")
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path))
    workloads.get.cache_clear()
    with pytest.raises(WorkloadError, match="two workloads are called 'forward'"):
        workloads.get("forward")
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(WorkloadError, match="gone, which is no folder"):
        workloads.names()


def test_rungs_without_the_workloads_function_are_left_out_unless_they_are_named(toy):
    """Like those that cannot run here; and the baseline has to be one that has it."""
    forward = workloads.get("forward")
    assert implementations.names_for(forward) == implementations.names()
    assert implementations.names_for(workloads.get("moments")) == []
    asked: dict[str, Any] = {"workload": "moments"}
    with pytest.raises(UserError, match=r"has a function moments\(x, targets, layers\): give a"):
        make_request(RunOptions.of(**asked))
    asked["implementations"] = ["matmul"]
    with pytest.raises(UserError, match="name what speedups are relative to with --baseline"):
        make_request(RunOptions.of(**asked))
    with pytest.raises(UserError, match="no sweep 'square': choose from features"):
        make_request(RunOptions.of(**asked, baseline="matmul", sweeps=["square"]))


def test_the_fingerprint_covers_the_workloads_file(tmp_path, monkeypatch):
    """A run cannot be resumed with another reference, wherever that lies."""
    path = tmp_path / "mine.py"
    path.write_text((TOY / "moments.py").read_text())
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path))
    machine = describe_machine()
    before = fingerprint({}, machine, "mine")
    assert before["the workload's version"] == "3"
    path.write_text(path.read_text() + "# another\n")
    (change,) = changes(before, fingerprint({}, machine, "mine"))
    assert change.startswith("the workload's file was code ")


def test_naming_the_suites_own_workload_imports_no_numpy():
    """`list` and `--help` say what there is, and answer at once."""
    code = "import sys; from forwardbench import workloads; workloads.get('forward'); "
    code += "print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("arguments", [["list"], ["show", str(REFERENCE)], ["run"], ["verify"]])
def test_a_folder_of_workloads_that_is_not_there_is_one_line(arguments, monkeypatch, capsys):
    """Whatever was asked for, and before anything is made."""
    monkeypatch.setenv(workloads.VARIABLE, "/no/such/folder")
    workloads.get.cache_clear()
    amounts._find.cache_clear()
    amounts.amount_of.cache_clear()
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err == (
        "forwardbench: FORWARDBENCH_WORKLOADS names /no/such/folder, which is no folder: "
        "correct it\n"
    )
