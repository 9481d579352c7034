"""Threads and CPUs of a worker: who keeps off them, and what it says of them from inside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from forwardbench.processes import available_cpus, cpus_for, own_cpus


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
