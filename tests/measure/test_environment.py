"""What is said of the machine, and of what else it did."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from builders.waiting import wait_until
from forwardbench import processes
from forwardbench.measure import environment, threads
from forwardbench.measure import watch as watching
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.watch import Watch


def moment(**counters):
    """Counters of the system at some moment."""
    plain = {"clock": 0.0, "busy": 0.0, "stolen": 0.0, "own_cpu": 0.0, "processes": {}}
    return watching._Moment(**{**plain, **counters})


@pytest.fixture
def moments(monkeypatch):
    """Let the counters be these, one after the other."""

    def inject(*each):
        left = list(each)
        monkeypatch.setattr(watching, "_now", lambda: left.pop(0))
        monkeypatch.setattr(psutil, "getloadavg", lambda: (1.5, 0, 0))

    return inject


def test_what_others_did_is_what_was_busy_without_us(moments):
    """In 10 s: 14 s of CPU time in all, 9 s of it ours, 2 s stolen, one process with 3 s."""
    moments(
        moment(clock=100, busy=50, stolen=1, own_cpu=7, processes={(1, "firefox"): 20.0}),
        moment(
            clock=110, busy=64, stolen=3, own_cpu=16,
            processes={(1, "firefox"): 23.0, (2, "came later"): 90.0},
        ),
    )  # fmt: skip
    assert Watch().report() == pytest.approx(
        {
            "seconds": 10.0, "load_before": 1.5, "others": 0.5, "stolen": 0.2,
            "busiest": "firefox", "busiest_cpus": 0.3,
        }
    )  # fmt: skip


def test_on_a_quiet_machine_nobody_is_named(moments):
    """Counters of ours that run ahead of the system's are no negative work of others."""
    moments(
        moment(processes={(1, "idle"): 5.0}),
        moment(clock=10, busy=9, own_cpu=9.1, processes={(1, "idle"): 5.1}),
    )
    report = Watch().report()
    assert (report["others"], report["busiest"], report["busiest_cpus"]) == (0.0, "", 0.0)


def test_the_busiest_of_several_by_one_name_is_found(moments):
    """Whichever the system names last."""
    moments(
        moment(processes={(1, "python"): 5.0, (2, "python"): 5.0}),
        moment(clock=10, busy=9, processes={(1, "python"): 9.0, (2, "python"): 6.0}),
    )
    report = Watch().report()
    assert (report["busiest"], report["busiest_cpus"]) == ("python", pytest.approx(0.4))


def test_another_process_is_noticed():
    """A program that keeps a CPU busy is seen as somebody else's work, with its name."""
    loop = "while True: pass"
    # Its parent ends at once, so it is nobody's child here.
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(loop)} > /dev/null 2>&1 & echo $!"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    other = psutil.Process(int(done.stdout))
    try:
        # From then on it has the name that it keeps.
        wait_until(lambda: other.cpu_times().user > 0.05)
        watch = Watch()
        used_before, start = other.cpu_times().user, time.monotonic()
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1)"], check=True)
        used = other.cpu_times().user - used_before
        share = used / (time.monotonic() - start)  # however busy the machine is otherwise
        report = watch.report()
    finally:
        other.kill()
    assert share > 0
    assert report["others"] > share / 2
    assert report["busiest_cpus"] > share / 2


def test_our_own_children_are_not_others():
    """What a worker uses is ours, whether it has ended or not."""
    before = watching._now()
    code = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert watching._now().own_cpu - before.own_cpu >= 0.4
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}\ninput()"], stdin=subprocess.PIPE
    ) as ours:
        wait_until(lambda: sum(psutil.Process(ours.pid).cpu_times()[:2]) > 0.45)
        now = watching._now()
        ours.communicate(b"\n")
    assert now.own_cpu - before.own_cpu >= 0.8
    assert ours.pid not in {pid for pid, _ in now.processes}


@pytest.mark.skipif(
    len(processes.available_cpus()) < 2 or not hasattr(os, "sched_setaffinity"),
    reason="needs two CPUs and an affinity",
)
def test_this_process_keeps_off_the_workers_cpus():
    """While a pass is made; afterwards it has its CPUs back, and workers still know all of them."""
    before = processes.own_cpus()
    with threads.keep_off_worker_cpus([1]):
        assert not set(processes.own_cpus()) & set(processes.cpus_for(1))
        assert processes.cpus_for(1) == before[-1:]
    assert processes.own_cpus() == before
    with threads.keep_off_worker_cpus([len(before)]):  # they need all of them
        assert processes.own_cpus() == before


def test_the_machine_is_described_without_the_hosts_name():
    """The same description every time, in plain JSON values."""
    machine = describe_machine()
    assert "node" not in machine
    assert "flags" not in machine["cpu"]
    assert machine["memory_bytes"] > 0
    assert machine["available_cpus"]


@pytest.mark.parametrize(
    ("flags", "files", "variables", "said"),
    [
        ([], [], {}, ""),
        (["hypervisor"], [], {}, "virtual machine"),
        ([], ["/.dockerenv"], {}, "container"),
        (["hypervisor"], [], {"container": "podman"}, "container in a virtual machine"),
    ],
)
def test_containers_and_virtual_machines_are_named(monkeypatch, flags, files, variables, said):
    """By the CPU's flags, and by what container engines leave behind."""
    monkeypatch.setattr(Path, "exists", lambda path: str(path) in files)
    monkeypatch.setattr(os, "environ", variables)
    assert environment._virtual(flags) == said


def test_governor_and_caches_are_read_from_the_system(monkeypatch, tmp_path):
    """One name where all CPUs agree, all where they do not; nothing where there is nothing."""
    monkeypatch.setattr(environment, "_SYSFS", tmp_path)
    assert (environment._governor(), environment._caches()) == ("", {})
    for cpu, governor in enumerate(("powersave", "performance", "powersave")):
        folder = tmp_path / f"cpu{cpu}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")
    cache = tmp_path / "cpu0" / "cache" / "index3"
    cache.mkdir(parents=True)
    for name, text in (("level", "3\n"), ("type", "Unified\n"), ("size", "32768K\n")):
        (cache / name).write_text(text)
    assert environment._governor() == "performance, powersave"
    assert environment._caches() == {"L3": "32768K"}
