"""A run on every host: what goes wrong on one costs that one only."""

import re
import signal

import pytest

from builders.clusters import TINY, finish, read_until, start
from builders.waiting import wait_until
from forwardbench import results


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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
    said = r"127.0.0.1: lost .* ended with status 2: --threads '9999' is not possible"
    assert re.search(said, err)
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.exhaustive
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
