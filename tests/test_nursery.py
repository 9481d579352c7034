"""Nurseries: children begin alike, obey, and are ended with everything that they have started."""

import os
import signal
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import psutil
import pytest

from builders.waiting import is_gone
from builders.waiting import wait_until as until
from forwardbench.processes import ChildError
from forwardbench.processes.channel import BadMessageError, Unsent, receive, send
from forwardbench.processes.nursery import Nursery, Upbringing

MODULE = '''
"""What a child loads; it does what it is told."""
import os, subprocess, sys, tempfile, threading, time
import numpy
from forwardbench.processes.channel import receive, send

state = []


def prepare(task):
    exec(task.get("first", ""), globals())
    return {"pid": os.getpid()}


def serve(connection, task):
    while True:
        try:
            values, arrays = receive(connection)
        except (EOFError, OSError):
            return
        if values.get("do") == "describe":
            send(connection, {"described": {}, "forks": False})
            continue
        answer = {}
        exec(values["code"], globals(), {"answer": answer, "connection": connection})
        send(connection, answer, arrays)
'''


@pytest.fixture
def upbringing(tmp_path, monkeypatch):
    """Make the upbringing of children that do what they are told."""
    (tmp_path / "child_module.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def make(first="", **options):
        return Upbringing("child_module", {"first": first}, **options)

    return make


def do(child, code, seconds=20.0):
    """Have a child run some code; returns what it put into ``answer``."""
    return child.ask({"code": code}, seconds=seconds).values


def test_children_begin_in_the_same_state(upbringing):
    """What one has done is unknown to the next; what the nursery has loaded is known to all."""
    with Nursery(upbringing("state.append('loaded')")) as nursery:
        for _ in range(2):
            child = nursery.child()
            assert do(child, "state.append(1); answer['state'] = state") == {"state": ["loaded", 1]}
            child.end()


def test_a_child_is_another_process_than_its_nursery(upbringing):
    """It is forked, so it has the nursery as its parent."""
    with Nursery(upbringing()) as nursery:
        child = nursery.child()
        answer = do(child, "answer.update(pid=os.getpid(), parent=os.getppid())")
        assert answer == {"pid": child.pid, "parent": nursery.described["pid"]}


@pytest.mark.parametrize(
    "first",
    [
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])",
    ],
    ids=["a thread", "a process"],
)
def test_what_starts_something_is_not_forked(upbringing, first):
    """Half of it would be missing in a fork: each child loads it in a process of its own."""
    with Nursery(upbringing(first)) as nursery:
        one, other = nursery.child(), nursery.child()
        ask = (
            "answer.update(pid=os.getpid(), parent=os.getppid(), threads=threading.active_count())"
        )
        found = [do(child, ask) for child in (one, other)]
        assert found[0]["pid"] != found[1]["pid"]
        assert {each["parent"] for each in found} == {os.getpid()}


def test_without_forks_the_first_child_is_the_process_that_was_started(upbringing):
    """A process that serves one child only is not started twice."""
    with Nursery(upbringing(forks=False)) as nursery:
        first, second = nursery.child(), nursery.child()
        found = [do(child, "answer['pid'] = os.getpid()")["pid"] for child in (first, second)]
        assert found == [first.pid, second.pid]
        assert len(nursery._alone) == 2


def test_arrays_come_back_as_they_were_sent(upbringing):
    """Numbers of every type that is sent, of any shape; a large one in pieces."""
    arrays: list[np.ndarray] = [
        np.arange(6.0).reshape(2, 3).T, np.array([1.5], "float32"), np.array(7), np.zeros((3, 0)),
        np.array([True, False]), np.arange(300_000.0),
    ]  # fmt: skip
    with Nursery(upbringing()) as nursery:
        back = nursery.child().ask({"code": "pass"}, arrays).arrays
    assert [array.dtype for array in back] == [array.dtype for array in arrays]
    for array, sent in zip(back, arrays, strict=True):
        np.testing.assert_array_equal(array, sent)


def test_arrays_of_other_types_are_described_only():
    """Objects would have to be unpickled; longdouble is not the same on every machine."""
    ours, theirs = Pipe()
    send(theirs, {}, [np.array([{}, []], object), np.arange(2, dtype=">f8")])
    assert receive(ours).arrays == [Unsent((2,), "object"), Unsent((2,), ">f8")]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"no JSON",
        b"[1]",
        b'{"values": {}}',
        b'{"values": [], "arrays": [["float64", [-1]]]}',
        b'{"values": {}, "arrays": [["float64", [1e99]]]}',
        b'{"values": {}, "arrays": [["float64", [99999999999999]]]}',
        b'{"values": {}, "arrays": [["float64", "x"]]}',
        b'{"values": 3, "arrays": []}',
        b"[" * 100_000,
        b"\x80\x04\x95c\x00\x00.",
    ],
)
def test_whatever_is_sent_is_data_or_an_error(message):
    """Nothing is executed, and nothing but a message is accepted."""
    ours, theirs = Pipe()
    theirs.send_bytes(message)
    with pytest.raises(BadMessageError):
        receive(ours)


def test_an_array_that_lacks_bytes_or_has_too_many_is_refused():
    """What is announced is what has to come."""
    for sent in (b"1234567", b"1" * 17):
        ours, theirs = Pipe()
        theirs.send_bytes(b'{"values": {}, "arrays": [["float64", [2]]]}')
        theirs.send_bytes(sent)
        with pytest.raises(BadMessageError):
            receive(ours)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os._exit(3)", "exited with status 3 before it had finished"),
        ("os.kill(os.getpid(), 11)", "was ended by signal 11 (SIGSEGV)"),
        ("raise SystemExit('bye')", "exited with status 1 before it had finished: .*bye"),
        ("os.write(2, b'first\\nlast\\n'); os._exit(0)", "exited with status 0 .*: last"),
        ("connection.send_bytes(b'nonsense')", "sent something that is no answer"),
    ],
)
@pytest.mark.parametrize("forks", [True, False])
def test_how_a_child_ended_is_said(upbringing, code, reason, forks):
    """In one line, with the last line that it wrote."""
    with Nursery(upbringing(forks=forks)) as nursery:
        with pytest.raises(ChildError, match=reason.replace("(", r"\(").replace(")", r"\)")):
            do(nursery.child(), code)
        if forks:
            assert do(nursery.child(), "answer['fine'] = True") == {"fine": True}


def test_a_child_that_does_not_answer_is_given_up(upbringing):
    """After so many seconds."""
    with Nursery(upbringing()) as nursery:
        child = nursery.child()
        with pytest.raises(ChildError, match=r"did not finish within 0\.2 s"):
            do(child, "time.sleep(60)", seconds=0.2)
        child.end()
        until(lambda: is_gone(child.pid))


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open({path!r}, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
os.wait()
while not os.path.exists({path!r}) or not open({path!r}).read():
    time.sleep(0.01)
"""
"""Starts a process that leaves its parents and its session."""


@pytest.mark.parametrize("ends", ["child", "nursery"])
def test_descendants_are_ended(upbringing, tmp_path, ends):
    """Also those that have left their parent and its session."""
    path = tmp_path / "pid"
    with Nursery(upbringing()) as nursery:
        child = nursery.child()
        do(child, DAEMON.format(path=str(path)))
        daemon = int(path.read_text())
        assert not is_gone(daemon)
        assert nursery.orphans() == [daemon]
        assert daemon in child._tree()
        if ends == "child":
            child.end()
            until(lambda: is_gone(daemon))
    until(lambda: is_gone(daemon))


def test_the_cpu_time_of_descendants_counts(upbringing):
    """A child's own, and that of a process that works for it."""
    work = "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(60)"
    with Nursery(upbringing()) as nursery:
        child = nursery.child()
        do(child, f"p = subprocess.Popen([sys.executable, '-c', {work!r}])")
        until(lambda: child.cpu_seconds()[1] > 0.25)
        assert child.cpu_seconds()[0] < 0.2


def test_home_and_temporary_folder_are_empty_and_its_own(upbringing):
    """Nothing that another child left there is found."""
    code = (
        "answer.update(home=os.path.expanduser('~'), temporary=tempfile.gettempdir(),"
        "found=os.listdir(tempfile.gettempdir())); open(tempfile.gettempdir() + '/x', 'w')"
    )
    with Nursery(upbringing()) as nursery:
        found = [do(nursery.child(), code) for _ in range(2)]
    assert all(each["home"] == each["temporary"] and each["found"] == [] for each in found)
    assert found[0]["home"] != found[1]["home"] != str(Path.home())
    assert not any(Path(each["home"]).exists() for each in found)


def test_a_nursery_whose_judge_is_gone_ends_with_its_children(upbringing):
    """It notices by its connection."""
    nursery = Nursery(upbringing())
    child = nursery.child()
    do(child, "pass")
    pid = nursery.described["pid"]
    nursery._control.close()
    until(lambda: is_gone(child.pid) and is_gone(pid))
    nursery.close()
    assert not nursery._folder.exists()


def test_cpus_and_environment_are_those_of_the_upbringing(upbringing):
    """Set before anything is imported, and nothing of a pytest around it."""
    cpu = sorted(os.sched_getaffinity(0))[0]
    with Nursery(upbringing(environment={"A_VARIABLE": "1"}, cpus=(cpu,))) as nursery:
        answer = do(
            nursery.child(),
            "answer.update(cpus=sorted(os.sched_getaffinity(0)), a=os.environ['A_VARIABLE'],"
            "pytest=[name for name in os.environ if name.startswith('PYTEST_')])",
        )
    assert answer == {"cpus": [cpu], "a": "1", "pytest": []}


def test_a_nursery_that_cannot_load_says_so(upbringing):
    """The reason is the last line that it wrote."""
    with (
        pytest.raises(ChildError, match="ZeroDivisionError"),
        Nursery(upbringing("1 / 0")) as nursery,
    ):
        nursery.child()


def test_what_is_suspended_is_ended_too(upbringing):
    """A stopped process does not act on most signals, but on this one."""
    with Nursery(upbringing()) as nursery:
        child = nursery.child()
        os.kill(child.pid, signal.SIGSTOP)
        until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    until(lambda: is_gone(child.pid))
    assert is_gone(child.pid)
