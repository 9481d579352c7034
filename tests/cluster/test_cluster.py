"""More than one machine: a real cluster of processes, what goes wrong there, what is refused."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from builders.clusters import Cluster
from builders.waiting import PATIENCE, wait_until
from forwardbench import implementations, results
from forwardbench.cases import parse_case
from forwardbench.cluster import agent, hosts, large_batch
from forwardbench.cluster import connection as module
from forwardbench.cluster.connection import Worker, connected, trouble_of
from forwardbench.cluster.hosts import BadRunError, unpack
from forwardbench.cluster.large_batch import Digest, WrongBatchError
from forwardbench.commands.arguments import run_options
from forwardbench.commands.main import main, make_parser
from forwardbench.errors import UserError
from forwardbench.implementations import requirements
from forwardbench.measure.options import RunOptions, options_of
from forwardbench.workloads.forward import make_layers, make_rows

TINY = ["--implementation", "matmul", "--shape", "4x6-3"]


@pytest.fixture(scope="module", autouse=True)
def need_dask():
    """Without Dask there is nothing to test; where CI is set that is a failure."""
    if find_spec("distributed") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Dask is not installed")


@pytest.fixture
def cluster(tmp_path):
    """A cluster without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()


def start(*arguments, cwd, patch=""):
    """Start the command in a process of its own, after a line of Python."""
    code = (
        f"import sys\n{patch}\nfrom forwardbench.commands.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
    )  # fmt: skip


def finish(process, seconds=PATIENCE):
    """Wait for a command; its status, output and complaints."""
    out, err = process.communicate(timeout=seconds)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def read_until(process, text):
    """Read what a command complains of up to a line with some text; that, and all before it."""
    seen = ""
    for line in process.stderr:
        seen += line
        if text in line:
            return seen
    raise AssertionError(seen)


# --- a batch larger than memory --------------------------------------------------------------


def test_a_batch_of_several_times_the_memory_is_computed_and_checked(cluster, tmp_path):
    """Two workers of 256 MiB take 1.4 GiB; no worker dies of it, and sampled rows are right."""
    for _ in range(2):
        cluster.add("127.0.0.1", "256MiB")
    status, out, err = finish(start(
        "verify", "--implementation", "dask_array", "--scheduler", cluster.address,
        "--shape", "2000000x64-32", cwd=tmp_path,
    ))  # fmt: skip
    assert (status, err) == (0, "")
    (line,) = out.splitlines()
    assert re.fullmatch(
        r"dask_array +verified +2000000x64-32: 72 rows of 2e6 compared, errors at most \d+% of "
        r"their bounds; 1,465 MiB of inputs and outputs, 2.9 times the memory of 2 workers "
        r"\(512 MiB\), \d+ chunks in [\d.]+ s",
        line,
    )
    assert "Restarting worker" not in "".join(
        path.read_text() for path in cluster.folder.glob("*.log")
    )


def test_workers_with_another_version_are_refused_and_stay_alive(cluster, tmp_path):
    """Neither command sends them what they cannot read, which would end them."""
    old = tmp_path / "old"
    (old / "forwardbench").mkdir(parents=True)
    (old / "forwardbench" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    nanny = cluster.add("127.0.0.1", PYTHONPATH=str(old))
    worker = cluster.worker_of(nanny)
    check = start(
        "verify", "--implementation", "dask_array", "--scheduler", cluster.address,
        "--shape", "20x4-3", cwd=tmp_path,
    )  # fmt: skip
    status, _, err = finish(check)
    assert status == 2
    assert re.match(
        r"forwardbench: the forwardbench of the worker at tcp://127.0.0.1:\d+ is missing", err
    )
    assert "install the same on the scheduler and on every worker\n" in err
    status, _, err = finish(start("run", "--scheduler", cluster.address, *TINY, cwd=tmp_path))
    assert status == 1
    assert re.search(r"127.0.0.1: lost after \d+ s: has no forwardbench, or another one ", err)
    assert worker.is_running()
    assert not list(tmp_path.glob("results/*"))


def digests(case, chunk):
    """What workers would send of a right result."""
    plain = implementations.load("matmul")
    layers = make_layers(case)
    for start_row in range(0, case.batch, chunk):
        rows = min(chunk, case.batch - start_row)
        out = plain.compute(make_rows(case, start_row, start_row + rows), layers)
        yield Digest(*large_batch._digest(np.array([[start_row]]), out))


def test_first_and_last_rows_of_the_batch_and_of_chunks_are_compared():
    """The sample holds both ends of each chunk, so a chunk at the wrong place shows."""
    case = parse_case("1000x5-4-3")
    found = list(digests(case, 300))
    assert [each.sampled for each in found] == [
        [0, 150, 299], [300, 450, 599], [600, 750, 899], [900, 950, 999],
    ]  # fmt: skip
    rows, share = large_batch._compare(case, found)
    assert rows == 12
    assert 0 < share <= 1
    swapped = [found[0], found[1]._replace(values=found[2].values), *found[2:]]
    with pytest.raises(WrongBatchError, match=r"1000x5-4-3: row 300: .* times the bound"):
        large_batch._compare(case, swapped)


@pytest.mark.parametrize("number", [0, 2])
def test_a_number_that_is_not_finite_anywhere_is_found(number):
    """It need not be in a sampled row, since it is counted on the worker."""
    case = parse_case("90x3-2")
    out = np.full((30, 2), 0.5)
    out[7, 1] = np.nan
    found = list(digests(case, 30))
    found[number] = Digest(*large_batch._digest(np.array([[30 * number]]), out))
    message = f"1 numbers of rows {30 * number} to {30 * number + 29} are not finite"
    with pytest.raises(WrongBatchError, match=message):
        large_batch._compare(case, found)


def test_a_chunk_that_is_missing_is_found(monkeypatch):
    """Every row of the batch has to have been computed."""

    class Nobody:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    case = parse_case("90x3-2")
    monkeypatch.setattr(large_batch, "connected", lambda address: Nobody())
    monkeypatch.setattr(large_batch, "workers_of", lambda client: [Worker("a", "h", 1, 0)])
    monkeypatch.setattr(large_batch, "_check_versions", lambda client, workers: None)
    monkeypatch.setattr(large_batch, "_compute", lambda *_: list(digests(case, 30))[:2])
    with pytest.raises(WrongBatchError, match="not every row of the batch was computed"):
        large_batch.check_large_batch("", case)


def test_chunks_fit_the_smallest_worker():
    """A sixteenth of its memory for each thread, with room for the copies that are made."""
    case = parse_case("1000000x64-32")
    workers = [Worker("a", "h", 1, 2**30), Worker("b", "h", 4, 2**28), Worker("c", "h", 1, 0)]
    assert large_batch.rows_of_chunk(case, workers) == 2**28 // 4 // 16 // (5 * 8 * 64)
    assert large_batch.rows_of_chunk(case, workers[2:]) == 2**27 // (5 * 8 * 64)
    assert large_batch.rows_of_chunk(replace(case, batch=3), workers) == 3
    with pytest.raises(UserError, match="is too wide for these workers, .* 64 MiB for each"):
        large_batch.rows_of_chunk(parse_case("9x9999999-4"), workers)


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


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--scheduler", "localhost"], "--scheduler 'localhost' is not an address: write"),
        (["run", "--scheduler", "tcp://a:99999"], "is not an address: write tcp://HOST:PORT"),
        (["run", "--scheduler", ""], "--scheduler '' is not an address"),
        (["run", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0"),
        (["run", "--scheduler", "tcp://no.such.host.invalid:1"], "no Dask scheduler answers at"),
        (["run", "--scheduler", "tcp://a:1", "--resume", "x"], "leave out --scheduler, or start"),
        (["run", "--scheduler", "tcp://a:1", "--shape", "64"], "'64' is not a case: write"),
        (["run", "--scheduler", "tcp://a:1", "--implementation", "x"], "no implementation 'x'"),
        (["run", "--scheduler", "tcp://a:1", "--threads", "some"], "--threads 'some' cannot be"),
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


# --- a run on every host ---------------------------------------------------------------------


def test_every_host_runs_once_and_what_is_lost_costs_itself_only(cluster, tmp_path):
    """Four workers on three hosts: one is killed, and the rest arrives.

    Files of one's own travel with the modules beside them.
    """
    cluster.add("127.0.0.1")
    dies = cluster.add("127.0.0.2")
    for _ in range(2):
        cluster.add("127.0.0.3")
    own = tmp_path / "own"
    own.mkdir()
    (own / "beside_mine.py").write_text("import numpy as np\nmultiply = np.matmul\n")
    (own / "mine.py").write_text(
        "from beside_mine import multiply, np\n"
        "G = {'sigmoid': lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, 'tanh': np.tanh,\n"
        "     'relu': lambda z: np.maximum(z, 0), 'linear': lambda z: z}\n"
        "def forward(x, layers):\n"
        "    for w, b, g in layers:\n        x = G[g](multiply(x, w) + b)\n    return x\n"
    )
    run = start(
        "run", "--scheduler", cluster.address, *TINY, "--implementation", own / "mine.py",
        "--passes", "2", "--output", "made", cwd=tmp_path,
    )  # fmt: skip
    begun = read_until(run, "127.0.0.2: started")
    cluster.worker_of(dies).kill()
    status, out, err = finish(run)
    err = begun + err
    assert status == 1
    for host in ("127.0.0.1", "127.0.0.3"):
        assert err.count(f"{host}: started") == 1
        assert re.search(rf"{host}: done after \d+ s: made/{host}\n", err)
        assert f"{host}: shapes, float64, 1 thread: speedup over python_loops" in out
    assert re.search(r"127.0.0.2: lost after \d+ s: its worker tcp://127.0.0.2:\d+ died\n", err)
    made = tmp_path / "made"
    assert {path.name for path in made.iterdir()} == {
        "127.0.0.1", "127.0.0.3", "charts", "report.html", "table.csv",
    }  # fmt: skip
    loaded = results.load(made)
    assert [part.host for part in loaded.parts] == ["127.0.0.1", "127.0.0.3"]
    measured = loaded.cells[loaded.cells["status"] == "measured"]
    assert {"mine", "matmul", "python_loops"} <= set(measured["implementation"])
    assert "127.0.0.3" in (made / "charts" / "speedup-shapes.svg").read_text()
    assert cluster.no_host_run_is_left()


def test_ctrl_c_ends_what_was_started_on_the_hosts(cluster, tmp_path):
    """Status 130, no folder, and no process of forwardbench on any host."""
    cluster.add("127.0.0.1")
    cluster.add("127.0.0.2")
    run = start("run", "--scheduler", cluster.address, *TINY, "--passes", "500", cwd=tmp_path)
    for _ in range(2):
        read_until(run, "started")
    # On each host the command and what holds its pipe.
    wait_until(lambda: len(cluster.host_runs()) >= 4)
    run.send_signal(signal.SIGINT)
    status, _, err = finish(run)
    assert status == 130
    assert err.splitlines()[-1] == (
        "forwardbench: interrupted; what was started on the hosts was ended"
    )
    assert not list(tmp_path.glob("results/*"))
    assert cluster.no_host_run_is_left()


def test_hosts_end_what_they_run_when_nobody_waits_for_it_any_longer(cluster, tmp_path):
    """A client that is killed says no farewell; the scheduler notices, and so does the host."""
    cluster.add("127.0.0.1")
    run = start("run", "--scheduler", cluster.address, *TINY, "--passes", "500", cwd=tmp_path)
    read_until(run, "started")
    run.kill()
    run.communicate()
    assert cluster.no_host_run_is_left()


def test_a_scheduler_that_goes_away_ends_the_run(cluster, tmp_path):
    """The client says so, and the hosts end what they had begun."""
    cluster.add("127.0.0.1")
    run = start("run", "--scheduler", cluster.address, *TINY, "--passes", "500", cwd=tmp_path)
    read_until(run, "started")
    cluster.scheduler.kill()
    status, _, err = finish(run)
    assert status == 1
    assert re.search(r"^127.0.0.1: lost after \d+ s: the Dask scheduler ", err, re.MULTILINE)
    assert "No run came back from any host" in err
    assert cluster.no_host_run_is_left()


def test_a_host_that_says_nothing_is_not_waited_for(cluster, tmp_path):
    """One host is frozen: after the stall limit it is given up, and the other's run is kept."""
    cluster.add("127.0.0.1")
    frozen = cluster.worker_of(cluster.add("127.0.0.2"))
    run = start(
        "run", "--scheduler", cluster.address, *TINY, "--passes", "1", "--output", "made",
        cwd=tmp_path,
        patch="from forwardbench.cluster import connection; connection.STALL_SECONDS = 4",
    )  # fmt: skip
    read_until(run, "127.0.0.2: started")
    frozen.send_signal(signal.SIGSTOP)
    status, _, err = finish(run)
    assert status == 1
    assert re.search(r"127.0.0.2: lost after \d+ s: gave no sign of life for 4 s\n", err)
    assert re.search(r"127.0.0.1: done after \d+ s: made/127.0.0.1\n", err)


def test_another_version_and_a_run_that_fails_are_named(cluster, tmp_path):
    """What its own machine refuses, a host says in its own words."""
    cluster.add("127.0.0.1")
    other = start(
        "run", "--scheduler", cluster.address, *TINY, cwd=tmp_path,
        patch="from forwardbench.cluster import hosts; hosts.code_version = lambda: '9.9, code 0'",
    )  # fmt: skip
    status, _, err = finish(other)
    assert status == 1
    assert re.search(
        r"127.0.0.1: lost after \d+ s: has forwardbench 0.1.0, code \w+, not 9.9, code 0: "
        "install the same there\n",
        err,
    )
    many = start(
        "run", "--scheduler", cluster.address, *TINY, "--threads", "9999", cwd=tmp_path
    )  # fmt: skip
    status, _, err = finish(many)
    assert status == 1
    assert re.search(r"127.0.0.1: lost .* ended with status 2: --threads '9999' cannot be", err)
    assert not list(tmp_path.glob("results/*"))


def test_a_wrong_contender_makes_the_status_1_and_its_run_is_kept(cluster, tmp_path, contenders):
    """As on one machine: the others are measured, and the run says which was rejected."""
    cluster.add("127.0.0.1")
    wrong = contenders / "wrong" / "zeros.py"
    status, out, err = finish(start(
        "run", "--scheduler", cluster.address, *TINY, "--implementation", wrong,
        "--passes", "1", "--output", "made", cwd=tmp_path,
    ))  # fmt: skip
    assert status == 1
    assert "done after" in err
    assert "with status 1: made/127.0.0.1" in err
    assert "zeros: 1 cell rejected" in out


# --- what is sent ----------------------------------------------------------------------------


def test_the_hosts_are_asked_for_what_was_asked_for():
    """Every option arrives, as the command line itself reads it."""
    asked = RunOptions.of(
        sweeps=["mlp"], shapes=["1x2-3"], implementations=["matmul", "compiled", "all"],
        baseline="matmul", dtypes=["float32"], threads=["2", "all"], workload="forward",
        passes=12, limit=0.25, precision=0.02, max_time=9.5, first_calls=2, quick=True,
    )  # fmt: skip
    arguments, files = hosts.arguments_of(asked)
    assert files == {}
    assert run_options(make_parser().parse_args(arguments)) == asked
    assert hosts.arguments_of(RunOptions.of())[0] == ["run"]
    not_sent = {each.name for each in options_of(RunOptions)} - asked.given
    assert not_sent == {"output", "scheduler", "resume"}
    here_only = RunOptions.of(output="x", scheduler="tcp://a:1")
    assert hosts.arguments_of(here_only)[0] == ["run"]


def test_a_file_travels_with_what_it_needs_beside_it(tmp_path):
    """Modules and packages in turn, each file once, and nothing else of the folder."""
    for name, text in {
        "mine.py": "import numpy\nfrom near import x\nimport packed.part\n",
        "near.py": "import far, mine\n",
        "far.py": "this does not parse",
        "packed/__init__.py": "",
        "packed/part.py": "from . import other\n",
        "packed/other.py": "",
        "secret.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    arguments, files = hosts.arguments_of(
        RunOptions.of(implementations=["matmul", str(tmp_path / "mine.py")])
    )
    assert arguments == ["run", "--implementation=matmul", "--implementation=files/1/mine.py"]
    assert set(files) == {
        f"files/1/{name}" for name in (
            "mine.py", "near.py", "far.py", "packed/__init__.py", "packed/part.py",
            "packed/other.py",
        )
    }  # fmt: skip
    assert files["files/1/near.py"] == b"import far, mine\n"


def test_a_host_is_asked_once_however_many_workers_it_has():
    """The first of each host, by address."""
    workers = [Worker("tcp://a:1", "a", 1, 0), Worker("tcp://a:2", "a", 1, 0),
               Worker("tcp://b:1", "b", 1, 0)]  # fmt: skip
    assert [each.address for each in hosts.one_of_each_host(workers)] == ["tcp://a:1", "tcp://b:1"]


def test_hosts_get_folders_that_any_file_system_takes():
    """No separator, nothing hidden, and no two alike, even where capitals do not count."""
    given = ["10.0.0.1", "..", "fe80::1", "fe80__1", "a/../b", "A/../B", "x" * 99]
    names = hosts.folder_names(given)
    assert [names[host] for host in given] == [
        "10.0.0.1", "host", "fe80__1", "fe80__1-2", "a_.._b", "A_.._B-2", "x" * 60,
    ]  # fmt: skip


def test_what_dask_sets_for_its_workers_is_not_passed_on(monkeypatch):
    """Threads, the allocator and Dask's own settings go; everything else stays."""
    by_dask = {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONHASHSEED": "6640",
               "DASK_SCHEDULER_ADDRESS": "tcp://a:1", "NUMBA_NUM_THREADS": "1"}  # fmt: skip
    for name, value in {**by_dask, "KEPT": "yes"}.items():
        monkeypatch.setenv(name, value)
    left = agent.plain_environment()
    assert left["KEPT"] == "yes"
    assert not by_dask.keys() & left.keys()


def test_the_innermost_reason_of_a_failure_is_told():
    """Those around it only say that something failed."""
    error = RuntimeError("Error during deserialization")
    error.__cause__ = ValueError("no\nsuch thing")
    assert trouble_of(error) == "ValueError: no such thing"


# --- what comes back -------------------------------------------------------------------------


def archive(files):
    """A zip archive in memory."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return packed.getvalue()


def test_a_run_comes_back_as_it_was(write_run, ladder, tmp_path):
    """Every file but the hidden ones, byte for byte."""
    folder = write_run(ladder)
    (folder / ".lock").write_text("")
    (folder / "charts").mkdir()
    (folder / "charts" / "time.svg").write_text("<svg/>")
    target = tmp_path / "out" / "host"
    target.parent.mkdir()
    unpack(agent.pack(folder), target)
    kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    there = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert {str(path) for path in kept - there} == {".lock"}
    assert all((target / path).read_bytes() == (folder / path).read_bytes() for path in there)


LINK = zipfile.ZipInfo("link")
LINK.external_attr = 0o120777 << 16


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../run.json": "{}"}, "leads elsewhere: '../run.json'"),
        ({"/etc/run.json": "{}"}, "leads elsewhere: '/etc/run.json'"),
        ({"charts/../../x": ""}, "leads elsewhere"),
        ({"..\\x": ""}, "leads elsewhere"),
        ({"C:x": ""}, "leads elsewhere"),
        ({LINK: "/etc/passwd"}, "leads elsewhere: 'link'"),
        ({}, "brought back what is not a run"),
        ({"run.json": "{"}, "brought back what is not a run: .*is torn or is not JSON"),
        ({"run.json": "{}"}, "brought back what is not a run"),
    ],
)
def test_an_archive_that_is_no_run_is_refused_and_leaves_nothing(files, message, tmp_path):
    """Nothing leads out of the folder, and there is no half of a run."""
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(BadRunError, match=message):
        unpack(archive(files), folder / "host")
    assert not list(folder.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_archive_that_is_too_large_or_no_archive_is_refused(tmp_path, monkeypatch):
    """What would fill the disk is not unpacked."""
    with pytest.raises(BadRunError, match="brought back what is not a run: File is not a zip"):
        unpack(b"no zip", tmp_path / "host")
    monkeypatch.setattr(hosts, "LARGEST_RUN", 10)
    with pytest.raises(BadRunError, match="brought back 0 MiB in 1 files: too much"):
        unpack(archive({"run.json": "x" * 11}), tmp_path / "host")
    assert not list(tmp_path.iterdir())
