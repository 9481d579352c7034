"""What this process really has: its CPUs, and the size of each thread pool that it has loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forwardbench.processes import own_cpus


def read_back() -> dict[str, Any]:
    """Report what this process really has: its CPUs, and each loaded thread pool."""
    from threadpoolctl import threadpool_info

    pools = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpool_info()
    ]
    return {"cpus": own_cpus(), "pools": pools}


def ran_on(thread_count: Callable[[], int] | None = None) -> dict[str, Any]:
    """CPUs and threads of this process after an implementation has been called.

    ``framework`` is the thread count that the framework reports; None if it reports none.
    """
    try:
        framework = None if thread_count is None else int(thread_count()) or None
    except Exception:  # a user's code may raise; verification has checked it once
        framework = None
    present = read_back()
    return {
        "cpus": present["cpus"],
        "threads": [pool["num_threads"] for pool in present["pools"]],
        "framework": framework,
    }
