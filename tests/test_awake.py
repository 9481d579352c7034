"""CPUs that are kept awake."""

import os
import subprocess
import sys

import psutil
import pytest

from builders.waiting import is_gone, wait_until
from forwardbench.processes import available_cpus
from forwardbench.processes.awake import kept_awake

pytestmark = pytest.mark.skipif(
    not hasattr(os, "SCHED_IDLE"), reason="needs Linux's policy for idle processes"
)


def keepers():
    """Processes of ours that keep a CPU awake."""
    return [
        child for child in psutil.Process().children()
        if any(argument.endswith("awake.py") for argument in child.cmdline())
    ]  # fmt: skip


def test_a_cpu_is_kept_awake_by_a_process_that_gives_way_to_all_others():
    """It has the CPU's number and the lowest of all priorities, and is gone afterwards."""
    cpu = available_cpus()[-1]
    with kept_awake([cpu]):
        (keeper,) = keepers()
        wait_until(lambda: os.sched_getscheduler(keeper.pid) == os.SCHED_IDLE)
        assert os.sched_getaffinity(keeper.pid) == {cpu}
        wait_until(lambda: keeper.cpu_times().user > 0)
    assert not keeper.is_running()


def test_each_cpu_has_one():
    """So contenders with several threads find all of their CPUs awake."""
    cpus = available_cpus()[-2:]
    with kept_awake(cpus):
        assert len(keepers()) == len(cpus)
    assert keepers() == []


def test_nobody_is_kept_awake_for_a_process_that_is_gone():
    """A program that is killed leaves nothing behind."""
    code = (
        "import sys, time\nfrom forwardbench.processes.awake import kept_awake\n"
        f"with kept_awake([{available_cpus()[-1]}]):\n    print('begun', flush=True)\n"
        "    time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        (keeper,) = psutil.Process(program.pid).children()
        program.kill()
    wait_until(lambda: is_gone(keeper.pid))
