"""Threads and CPUs of a worker: set before anything is imported, and read back inside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def own_cpus() -> list[int]:
    """Numbers of the CPUs that this process may use now."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@cache
def available_cpus() -> list[int]:
    """Numbers of the CPUs that this process might use when it first asked."""
    return own_cpus()


@contextmanager
def off_the_cpus_of(counts: Iterable[int]) -> Iterator[None]:
    """Keep this process off the CPUs of workers with that many threads, if any are left."""
    taken = set().union(*(cpus_for(count) for count in counts))
    left = set(available_cpus()) - taken
    if not left or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = own_cpus()
    os.sched_setaffinity(0, left)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(threads: int) -> dict[str, str]:
    """Environment variables under which numerical libraries start that many threads."""
    return dict.fromkeys(VARIABLES, str(threads))


def cpus_for(threads: int) -> list[int]:
    """Choose the CPUs to confine a process with that many threads to.

    Some libraries ignore the variables and obey this. The last CPUs are taken, because
    interrupts and the parent process tend to live on the first.
    """
    return available_cpus()[-threads:]


def read_back() -> dict[str, Any]:
    """Report what this process really has: its CPUs, and each thread pool that is loaded."""
    from threadpoolctl import threadpool_info

    pools = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpool_info()
    ]
    return {"cpus": own_cpus(), "pools": pools}


def ran_on(reference: str, thread_count: Callable[[], int] | None = None) -> dict[str, Any]:
    """CPUs and threads that this process has after an implementation has been called.

    ``framework`` is what its framework says of itself, None where it cannot be asked.
    """
    try:
        framework = None if thread_count is None else int(thread_count()) or None
    except Exception:  # somebody's own code; verification has asked it once
        framework = None
    return {
        "cpus": own_cpus(),
        "threads": _thread_counts(reference),
        "framework": framework,
    }


@cache
def _thread_counts(reference: str) -> list[int]:
    """Threads of each pool that is loaded; looked up once, since it takes milliseconds."""
    return [pool["num_threads"] for pool in read_back()["pools"]]
