"""CPUs that are kept awake."""

import os
import subprocess
import sys
from pathlib import Path

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
        group = Path(f"/proc/{keeper.pid}/autogroup")
        if group.exists():  # where sessions share CPUs, its session gives way to others, too
            wait_until(lambda: group.read_text().endswith("nice 19\n"))
        wait_until(lambda: keeper.cpu_times().user > 0)
    assert not keeper.is_running()


def test_nobody_is_disturbed_while_it_is_stopped():
    """It stops for as long as something is measured, and goes on afterwards."""
    with kept_awake([available_cpus()[-1]]) as started:
        (keeper,) = keepers()
        with started.stopped():
            wait_until(lambda: keeper.status() == psutil.STATUS_STOPPED)
        wait_until(lambda: keeper.status() != psutil.STATUS_STOPPED)
        before = keeper.cpu_times().user
        wait_until(lambda: keeper.cpu_times().user > before)
        assert keeper.is_running()


def test_a_stopped_one_ends_with_its_program():
    """It cannot look for its parent then."""
    assert ends_with_its_program("with keepers.stopped():")


def test_each_cpu_has_one():
    """So contenders with several threads find all of their CPUs awake."""
    cpus = available_cpus()[-2:]
    with kept_awake(cpus):
        assert len(keepers()) == len(cpus)
    assert keepers() == []


def ends_with_its_program(during):
    """Whether the process that keeps a CPU awake is gone once its program was killed."""
    code = (
        "import contextlib, time\nfrom forwardbench.processes.awake import kept_awake\n"
        f"with kept_awake([{available_cpus()[-1]}]) as keepers:\n"
        f"    {during}\n        print('begun', flush=True)\n        time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        (keeper,) = psutil.Process(program.pid).children()
        program.kill()
    wait_until(lambda: is_gone(keeper.pid))
    return True


def test_nobody_is_kept_awake_for_a_process_that_is_gone():
    """A program that is killed leaves nothing behind."""
    assert ends_with_its_program("with contextlib.nullcontext():")
