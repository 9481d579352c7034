"""Threads and CPUs of a worker: set before anything is imported, and read back inside it."""

from __future__ import annotations

import os
from typing import Any

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def available_cpus() -> list[int]:
    """Numbers of the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


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
    return {"cpus": available_cpus(), "pools": pools}
