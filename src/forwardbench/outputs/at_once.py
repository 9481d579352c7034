"""Does several pieces of work at once, in processes that are forked from this one."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from forwardbench.processes import own_cpus

Job = TypeVar("Job")
Result = TypeVar("Result")

_FEWEST = 4
"""For fewer pieces of work no process is started."""
_MOST_PROCESSES = 4

_work: tuple[Callable[[Any], Any], Sequence[Any]] = (lambda job: job), ()
"""What forked processes do: they find it here, so that nothing has to be sent to them."""


def at_once(function: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    """Call a function with each job and return the results in the order of the jobs.

    The calls are made in several processes, where this one can be forked and may use several CPUs.
    """
    global _work
    count = min(len(own_cpus()), _MOST_PROCESSES)
    if len(jobs) < _FEWEST or count < 2 or not _can_fork():
        return [function(job) for job in jobs]
    _work = function, jobs
    with ProcessPoolExecutor(count, multiprocessing.get_context("fork")) as pool:
        return list(pool.map(_do, range(len(jobs))))


def _can_fork() -> bool:
    """Whether this process can be forked: a thread of ours would not exist in the new one."""
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


def _do(number: int) -> Any:
    function, jobs = _work
    return function(jobs[number])
