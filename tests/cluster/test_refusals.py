"""What cannot be done with a cluster is one line; and what the Dask rung may use."""

import socket
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from builders.clusters import TINY, finish, start
from forwardbench import implementations
from forwardbench.cases import parse_case
from forwardbench.cluster import connection as module
from forwardbench.cluster.connection import Worker, connected, workers_of
from forwardbench.commands.main import main
from forwardbench.errors import UserError
from forwardbench.implementations import requirements
from forwardbench.workloads.forward import make_layers


def test_the_rung_has_a_thread_for_each_task_and_none_of_blas(monkeypatch):
    """As many chunks are computed at once as the process has threads; products take one each."""
    rung = implementations.load("dask_array")
    parts = sys.modules["forwardbench_implementation_dask_array"]
    monkeypatch.setattr(parts.os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert parts.workers() == 2
    both, seen = threading.Barrier(2, timeout=20), []

    def look(z):
        both.wait()  # which needs two tasks at once
        seen.extend(pool["num_threads"] for pool in parts.BLAS.info() if pool["user_api"] == "blas")
        return z

    monkeypatch.setitem(parts.ACTIVATIONS, "linear", look)
    x, layers = np.ones((4, 3)), rung.prepare_layers(make_layers(parse_case("4x3-2", "linear")))
    (prepared,) = rung.prepare_data([x])
    assert prepared.chunks[0] == (2, 2)
    rung.compute(prepared, layers)
    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--scheduler", "localhost"], "--scheduler 'localhost' is not an address: write"),
        (["run", "--scheduler", "tcp://a:99999"], "is not an address: write tcp://HOST:PORT"),
        (["run", "--scheduler", ""], "--scheduler '' is not an address"),
        (["run", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0"),
        (
            ["run", "--scheduler", "tcp://no.such.host.invalid:1", "--insecure"],
            "no Dask scheduler answers at",
        ),
        (["run", "--scheduler", "tcp://10.0.0.1:1"], "write tls://10.0.0.1:1 (README.md says how"),
        (["run", "--scheduler", "tcp://127.1:1"], "leads to another machine without encryption"),
        (["run", "--scheduler", "tcp://localhost.x:1"], "or add --insecure if you trust everyone"),
        (["run", "--scheduler", "tcp://[fe80::1]:1"], "write tls://[fe80::1]:1"),
        (["run", "--scheduler", "tcp://[::1]:1"], "no Dask scheduler answers at tcp://[::1]:1"),
        (
            ["verify", "--scheduler", "tcp://10.0.0.1:1", "--shape", "1x2-3", "--implementation",
             "dask_array"],
            "leads to another machine without encryption",
        ),
        (["run", "--scheduler", "tls://10.0.0.1:1"], "needs certificates for TLS: set distributed"),
        (["run", "--insecure"], "run --insecure is for --scheduler"),
        (["verify", "--insecure"], "verify --insecure is for --scheduler"),
        (["run", "--scheduler", "tcp://a:1", "--resume", "x"], "leave out --scheduler, or start"),
        (["run", "--scheduler", "tcp://a:1", "--shape", "64"], "'64' is not a case: write"),
        (["run", "--scheduler", "tcp://a:1", "--implementation", "x"], "no implementation 'x'"),
        (["run", "--scheduler", "tcp://a:1", "--threads", "some"], "--threads 'some' is not"),
        (["verify", "--scheduler", "tcp://a:1"], "verify --scheduler needs --shape too"),
        (["verify", "--shape", "1x2-3"], "verify --shape needs --scheduler too"),
        (
            ["verify", "--scheduler", "tcp://a:1", "--shape", "1x2-3"],
            "--scheduler is for dask_array, whose batches may be larger than memory: add",
        ),
        (
            ["verify", "--scheduler", "tcp://a:1", "--shape", "1x2", "--implementation",
             "dask_array"],
            "'1x2' is not a case",
        ),
        (
            ["verify", "--scheduler", "tcp://127.0.0.1:1", "--shape", "1x2-3", "--implementation",
             "dask_array"],
            "no Dask scheduler answers at tcp://127.0.0.1:1",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments, message, tmp_path, monkeypatch, capsys
):
    """What, why, what to do; and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1.0)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("forwardbench: ")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ca-file": "/no/such/file"}, "needs certificates for TLS: set distributed.comm.tls.ca-f"),
        (
            {"ca-file": "/no/such/file", "client.cert": "/no/such/file"},
            "the certificates for TLS cannot be read (FileNotFoundError: ",
        ),
        (
            {"ca-file": __file__, "client.cert": __file__},
            "the certificates for TLS cannot be read (SSLError: ",
        ),
    ],
)
def test_certificates_that_are_missing_or_wrong_are_one_line(settings, message, capsys):
    """With the names of the settings that give them."""
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")  # which adds its own settings when it is imported
    named = {f"distributed.comm.tls.{name}": value for name, value in settings.items()}
    with dask.config.set(named):
        assert main(["run", "--scheduler", "tls://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "client.key of Dask's configuration" in said
    assert said.count("\n") == 1


def test_a_scheduler_that_describes_its_workers_otherwise_is_refused():
    """What it says is checked before it is used; the message names what is wrong."""

    class Client:
        scheduler = SimpleNamespace(address="tcp://a:1", identity=None)

        def __init__(self, workers):
            self.workers = workers

        def sync(self, question, **details):
            return {"workers": self.workers}

    right: dict[str, object] = {"host": "a", "nthreads": 1, "memory_limit": 2**30}
    assert workers_of(Client({"tcp://a:2": right})) == [Worker("tcp://a:2", "a", 1, 2**30)]
    wrong: list[tuple[str, dict[str, object]]] = [
        ("file:///a", {}),
        ("tcp://a:2", {"host": None}),
        ("tcp://a:2", {"nthreads": 0}),
        ("tcp://a:2", {"memory_limit": float("inf")}),
        ("tcp://a:2", {"memory_limit": "much"}),
    ]
    for address, changes in wrong:
        with pytest.raises(UserError, match="does not describe its workers as Dask does"):
            workers_of(Client({address: {**right, **changes}}))
    with pytest.raises(UserError, match="does not describe its workers as Dask does"):
        workers_of(Client(["tcp://a:2"]))


def test_somebody_who_never_answers_is_no_scheduler(monkeypatch):
    """A port that takes connections and says nothing costs the time to connect, and no more."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(UserError, match=rf"answers at {address} \(not in 1 s\): start one"):
            connected(address).__enter__()
        assert time.monotonic() - started < 20


def test_dask_that_is_missing_is_named_with_the_command_that_mends_it(monkeypatch, capsys):
    """The same line as for any other extra."""
    monkeypatch.setattr(requirements, "_is_installed", lambda name: name != "distributed")
    assert main(["run", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "pip install 'forwardbench[dask]'" in capsys.readouterr().err


def test_a_cluster_without_workers_is_refused(cluster, tmp_path):
    """With the command that starts one; no folder is left."""
    status, _, err = finish(start("run", "--scheduler", cluster.address, *TINY, cwd=tmp_path))
    assert status == 2
    assert f"has no workers: start some with dask worker {cluster.address}\n" in err
    assert [path.name for path in tmp_path.iterdir()] == ["cluster"]


def test_a_case_for_no_memory_names_the_way_out(capsys):
    """What a single machine refuses can be checked on several."""
    assert main(["run", "--shape", "999999999x64-64"]) == 2
    assert "--implementation dask_array --shape 999999999x64-64 --scheduler" in (
        capsys.readouterr().err
    )
