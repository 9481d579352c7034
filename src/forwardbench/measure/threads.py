"""Threads and CPUs of a worker: others keep off its CPUs, and it reports what it really has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from forwardbench.processes import available_cpus, cpus_for, own_cpus


@contextmanager
def keep_off_worker_cpus(counts: Iterable[int]) -> Iterator[None]:
    """Keep this process off the CPUs of workers with so many threads, if other CPUs are left."""
    worker_cpus = set().union(*(cpus_for(count) for count in counts))
    left = set(available_cpus()) - worker_cpus
    if not left or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = own_cpus()
    os.sched_setaffinity(0, left)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def read_back() -> dict[str, Any]:
    """Report what this process really has: its CPUs, and each loaded thread pool."""
    from threadpoolctl import threadpool_info

    pools = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpool_info()
    ]
    return {"cpus": own_cpus(), "pools": pools}


def ran_on(reference: str, thread_count: Callable[[], int] | None = None) -> dict[str, Any]:
    """CPUs and threads of this process after an implementation has been called.

    ``framework`` is the thread count that the framework reports; None if it reports none.
    """
    try:
        framework = None if thread_count is None else int(thread_count()) or None
    except Exception:  # a user's code may raise; verification has checked it once
        framework = None
    return {
        "cpus": own_cpus(),
        "threads": _thread_counts(reference),
        "framework": framework,
    }


@cache
def _thread_counts(reference: str) -> list[int]:
    """Threads of each loaded pool; looked up once, since it takes milliseconds."""
    return [pool["num_threads"] for pool in read_back()["pools"]]
