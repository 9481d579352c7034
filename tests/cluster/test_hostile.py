"""Whoever answers from a cluster cannot run code in the client."""

import contextlib
import gc
import json
import os
import pickle
import re
import subprocess
import sys

import pytest

from builders.bombs import MARKER, Bomb
from builders.clusters import TINY
from builders.hostile_worker import MODE
from builders.places import ROOT
from builders.waiting import wait_until
from forwardbench.cluster import connection, plain_data
from forwardbench.cluster.plain_data import RefusedPickleError
from forwardbench.commands.main import main

EVAL = "sent a pickle that names builtins.eval, which is refused"
NO_SCHEDULER = rf"^forwardbench: what answers at tcp://127.0.0.1:\d+ {EVAL}: it is no Dask sched"
LOST = r"127.0.0.1: lost after \d+ s: "
DEAF = f"{LOST}the Dask scheduler sent a report that cannot be read, or is refused\n"
HEARD = f"{LOST}heard to the end\n"
UNKNOWN = f"{LOST}the scheduler does not say why\n"
ONLY = "TypeError: Data serialized with {} but only able to deserialize data with"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Where Dask's client fails amid a message, it leaves its socket open until the process ends."""
MESSAGES = {
    "handshake": (2, NO_SCHEDULER),
    "identity-marked": (2, NO_SCHEDULER),
    "identity-dask": (2, f"no Dask scheduler answers at .*{ONLY.format('dask')}"),
    "identity-pickle": (2, f"no Dask scheduler answers at .*{ONLY.format('pickle')}"),
    "event-marked": (1, DEAF),
    "event-dask": (1, DEAF),
    "event-pickle": (1, DEAF),
    "status": (1, DEAF),
    "type": (1, HEARD),
    "exception": (1, UNKNOWN),
    "traceback": (1, UNKNOWN),
    "warning": (1, HEARD),
    "answer-marked": (1, f"{LOST}{EVAL}\n"),
    "answer-dask": (1, f"{LOST}{ONLY.format('dask')}"),
    "answer-pickle": (1, f"{LOST}{ONLY.format('pickle')}"),
}
"""For each message with a bomb: the exit status of a run, and what it says."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Addresses of schedulers that are hostile, by the message that holds the bomb."""
    file = tmp_path_factory.mktemp("hostile") / "addresses"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    process = subprocess.Popen(
        [sys.executable, "-m", "builders.hostile_scheduler", file, *MESSAGES, "print"],
        env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: file.exists() and file.read_text())
        yield json.loads(file.read_text())
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """The file that a bomb makes if it goes off in this process."""
    monkeypatch.setenv(MARKER, str(tmp_path / "marker"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "marker"
    gc.collect()  # while the filter below is on


@pytest.mark.parametrize("message", MESSAGES)
def test_a_hostile_scheduler_runs_nothing_in_the_client(message, hostile, marker, capsys):
    """Whichever of its messages holds the pickle; and one line says what happened."""
    status = main(["run", "--scheduler", hostile[message], *TINY])
    expected_status, expected = MESSAGES[message]
    assert not marker.exists()
    said = capsys.readouterr().err
    assert re.search(expected, said), said
    assert "Traceback" not in said
    assert status == expected_status
    assert not list(marker.parent.glob("results/*"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("message", [each for each in MESSAGES if each != "warning"])
def test_without_the_guard_each_of_those_runs_its_code(message, hostile, marker, monkeypatch):
    """The bombs are live, so the test above shows something."""
    monkeypatch.setattr(connection, "refuse_pickles", lambda: None)
    monkeypatch.setattr(connection, "DESERIALIZERS", ("msgpack", "error", "dask", "pickle"))
    with contextlib.suppress(Exception):
        main(["run", "--scheduler", hostile[message], *TINY])
    assert marker.exists()


def test_a_cluster_cannot_write_to_the_terminal(hostile, marker, capsys):
    """Dask's clients print what workers tell them to, control characters too; this one does not."""
    assert main(["run", "--scheduler", hostile["print"], *TINY]) == 1
    said = capsys.readouterr()
    assert "printed" not in said.out + said.err
    assert "heard to the end" in said.err


def add_hostile(cluster, mode):
    """Add a worker to a cluster, in which no bomb goes off."""
    cluster.add("127.0.0.1", **{
        MODE: mode, MARKER: "",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
        "DASK_DISTRIBUTED__WORKER__PRELOAD": str([f"{ROOT}/tests/builders/hostile_worker.py"]),
    })  # fmt: skip


CHECK = ["--implementation", "dask_array", "--shape", "20x4-3"]


@pytest.mark.parametrize("mode", ["dask", "pickle"])
def test_the_result_of_a_hostile_worker_runs_nothing_in_the_client(mode, cluster, marker, capsys):
    """However its scheduler passes that on; a run loses its host, and a check is refused."""
    add_hostile(cluster, mode)
    assert main(["run", "--scheduler", cluster.address, *TINY]) == 1
    assert main(["verify", "--scheduler", cluster.address, *CHECK]) == 2
    assert not marker.exists()
    run, _, verify = capsys.readouterr().err.splitlines()
    assert re.match(f"{LOST}{ONLY.format(mode)}", run)
    assert re.search(rf"the worker at tcp://\S+ is unknown \({ONLY.format(mode)}", verify)


def test_the_exception_of_a_hostile_worker_runs_nothing_in_the_client(cluster, marker, capsys):
    """What it says of itself is told all the same, by the scheduler."""
    add_hostile(cluster, "exception")
    assert main(["run", "--scheduler", cluster.address, *TINY]) == 1
    assert main(["verify", "--scheduler", cluster.address, *CHECK]) == 1
    assert not marker.exists()
    said = capsys.readouterr()
    assert re.match(rf"{LOST}Bomb\(\)\n", said.err)
    assert said.out == "dask_array         failed       20x4-3: Bomb()\n"


@pytest.mark.exhaustive
def test_workers_that_die_of_a_chunk_are_named_as_the_reason(cluster, capsys):
    """Dask gives up after some of them, and only its pickled exception says so."""
    add_hostile(cluster, "death")
    assert main(["verify", "--scheduler", cluster.address, *CHECK]) == 1
    assert capsys.readouterr().out == "dask_array         failed       20x4-3: its worker died\n"


def test_a_pickle_that_names_anything_is_refused_and_plain_ones_are_read(monkeypatch):
    """The rule itself: in this thread and in others, until somebody reads what is their own."""
    plain_data.refuse_pickles()
    for value in (Bomb(), ValueError("x"), len, {1}.__class__, OSError):
        with pytest.raises(RefusedPickleError, match="^sent a pickle that names .*, which is ref"):
            pickle.loads(pickle.dumps(value))
    plain = {"a": [1, 2.5, None, "text", b"bytes", True], "b": (bytes,)}
    assert pickle.loads(pickle.dumps(plain)) == plain
    with plain_data.reading_own_pickles():
        assert pickle.loads(pickle.dumps(len)) is len
    with pytest.raises(RefusedPickleError, match=r"builtins\.len"):
        pickle.loads(pickle.dumps(len))
