"""Child processes: answers come back, and whatever else happens is said in one line."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from builders.waiting import wait_until
from forwardbench import processes
from forwardbench.processes import ChildError, available_cpus


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Write the body of a child's main(link), and return how to call it."""

    def call(body, task=None, **options):
        lines = "\n    ".join(body.splitlines())
        (tmp_path / "child_module.py").write_text(
            f"import os, sys, time, signal\n\ndef main(link):\n    {lines}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return processes.call("child_module", task or {}, **{"stall_seconds": 20, **options})

    return call


def test_an_answer_comes_back_as_it_was_given(child):
    """Task and answer are plain JSON in both directions."""
    assert child("link.answer({'twice': link.task['n'] * 2})", {"n": 21}) == {"twice": 42}


def test_progress_is_passed_on_in_order(child):
    """Every line arrives, also those written just before the end."""
    lines = []
    child("for i in range(50):\n  link.progress(str(i))\nlink.answer(0)", on_progress=lines.append)
    assert lines == [str(i) for i in range(50)]


def test_environment_and_cpus_are_set_before_the_module_is_imported(child):
    """The child sees both from its first statement on."""
    body = (
        "from forwardbench.processes import available_cpus\n"
        "link.answer([os.environ['OMP_NUM_THREADS'], available_cpus()])"
    )
    cpus = available_cpus()[-1:] if hasattr(os, "sched_setaffinity") else available_cpus()
    assert child(body, environment={"OMP_NUM_THREADS": "3"}, cpus=cpus) == ["3", cpus]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(3)", "exited with status 3 before it had finished"),
        ("os._exit(0)", "exited with status 0 before it had finished"),
        ("raise ValueError('no luck')", "exited with status 1 .*: ValueError: no luck"),
        ("os.kill(os.getpid(), signal.SIGKILL)", r"was ended by signal 9 \(SIGKILL\)"),
        ("os.abort()", r"was ended by signal 6 \(SIGABRT\)"),
    ],
)
def test_an_end_without_an_answer_is_explained(child, body, message):
    """The status or signal is named, and the last thing a dying child said."""
    with pytest.raises(ChildError, match=message):
        child(body)


def test_garbage_on_stdout_changes_nothing(child):
    """What a contender prints never reaches the answer, nor our stdout."""
    assert child("print('{\"garbage\": ' * 10000)\nlink.answer('fine')") == "fine"


def test_a_child_that_stalls_is_ended_with_all_it_started(child, tmp_path):
    """Neither the child nor its own children outlive the limit."""
    mark = tmp_path / "alive"
    body = (
        "import subprocess\n"
        "loop = 'import time, pathlib\\nwhile 1:\\n pathlib.Path(MARK).touch(); time.sleep(.02)'\n"
        f"loop = loop.replace('MARK', repr({str(mark)!r}))\n"
        "subprocess.Popen([sys.executable, '-c', loop])\n"
        f"while not os.path.exists({str(mark)!r}):\n  time.sleep(.1)\n  link.progress('starting')\n"
        "while True: time.sleep(1)"
    )
    with pytest.raises(ChildError, match="did not finish within 3 s and was ended"):
        child(body, stall_seconds=3)
    assert mark.exists()
    mark.unlink(missing_ok=True)
    time.sleep(0.3)
    assert not mark.exists()


@pytest.mark.slow
def test_progress_keeps_a_slow_child_alive(child):
    """The limit is on silence, not on the whole."""
    body = (
        "for i in range(22):\n  time.sleep(0.5)\n  link.progress('still here')\nlink.answer('done')"
    )
    assert child(body, stall_seconds=10) == "done"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
def test_a_child_that_eats_memory_gets_an_error_and_not_the_machine(child):
    """Beyond its limit an allocation fails; what stays within it does not."""
    body = (
        "import numpy as np\n"
        "small = np.ones(2**20)\n"
        "try:\n  large = [np.ones(2**24) for _ in range(8)]\n"
        "except MemoryError:\n  link.answer('refused')\n"
        "else:\n  link.answer('had')"
    )
    assert child(body, memory_bytes=2**29) == "refused"
    assert child(body) == "had"


def test_the_folder_a_run_is_started_in_cannot_shadow_modules(child, tmp_path, monkeypatch):
    """A user's random.py stays theirs."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "random.py").write_text("raise RuntimeError('shadowed')\n")
    monkeypatch.chdir(folder)
    assert child("import random\nlink.answer('fine')") == "fine"


def test_a_child_does_not_outlive_its_parent(tmp_path):
    """When the parent is killed, the child ends at its next sign of progress."""
    (tmp_path / "child_module.py").write_text(
        "import os, time, pathlib\n"
        "def main(link):\n"
        "    while True:\n"
        f"        pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        "        time.sleep(0.1)\n"
        "        link.progress('working')\n"
    )
    code = (
        "from forwardbench import processes; processes.call('child_module', {}, stall_seconds=60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    pid = tmp_path / "pid"
    wait_until(lambda: pid.exists() and pid.read_text())
    parent.kill()
    parent.wait()
    child = int(pid.read_text())
    wait_until(lambda: not Path(f"/proc/{child}").exists())
    assert not psutil.pid_exists(child)
