"""Work that is done in several processes at once."""

import os
import threading

import pytest

from forwardbench.outputs import at_once as module
from forwardbench.outputs.at_once import at_once


@pytest.fixture
def two_cpus(monkeypatch):
    """Let there be two CPUs, however many there are."""
    monkeypatch.setattr(module, "own_cpus", lambda: [0, 1])


def where(job):
    """The job, and the process that did it."""
    return job, os.getpid()


def test_results_come_in_the_order_of_the_jobs(two_cpus):
    """Other processes have done them, with functions that cannot be sent to them."""
    found = at_once(lambda job: where(job * 2), range(6))
    assert [job for job, _ in found] == [0, 2, 4, 6, 8, 10]
    if module._can_fork():
        assert os.getpid() not in {process for _, process in found}


@pytest.mark.parametrize("jobs", [[], [1], [1, 2, 3]])
def test_for_little_work_no_process_is_started(two_cpus, jobs):
    """That would take longer than the work."""
    assert at_once(where, jobs) == [(job, os.getpid()) for job in jobs]


def test_a_process_with_threads_is_not_forked(two_cpus):
    """Its threads would be missing in the copy, with all locks that they hold."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert at_once(where, range(6)) == [(job, os.getpid()) for job in range(6)]
    finally:
        done.set()
        thread.join()


def test_one_cpu_is_enough(monkeypatch):
    """Nothing is started where only one could run at a time."""
    monkeypatch.setattr(module, "own_cpus", lambda: [3])
    assert at_once(where, range(6)) == [(job, os.getpid()) for job in range(6)]
