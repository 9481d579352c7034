"""What this machine can do at most: a result that claims more is not believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from forwardbench import isolation
from forwardbench.measure import threads as thread_control

SIZE = 768
"""Rows and columns of the matrix product: large enough for BLAS's full rate."""
COPIED_BYTES = 2**27
"""Bytes copied at once: more than caches hold."""
REPEATS = 4


def measure_ceiling(dtype: str, threads: int, stall_seconds: float = 60.0) -> dict[str, Any]:
    """Measure the machine's peaks in a process of its own, with that many threads.

    Returns dtype, threads, gflops (of a matrix product) and bytes_per_second (moved by a
    copy, in and out).
    Raises `ChildError`.
    """
    answer: dict[str, Any] = isolation.call(
        "forwardbench.measure.ceiling",
        {"dtype": dtype},
        stall_seconds=stall_seconds,
        environment=thread_control.environment(threads),
        cpus=thread_control.cpus_for(threads),
    )
    return {"dtype": dtype, "threads": threads, **answer}


def main(link: isolation.Link) -> None:
    """Answer a child process's task with the fastest of a few repeats of each."""
    import numpy as np

    a = np.ones((SIZE, SIZE), link.task["dtype"])
    product = np.empty_like(a)
    source = np.ones(COPIED_BYTES, np.uint8)
    target = np.zeros_like(source)
    link.answer(
        {
            "gflops": 2 * SIZE**3 / _fastest(lambda: np.matmul(a, a, out=product)) / 1e9,
            "bytes_per_second": 2 * COPIED_BYTES / _fastest(lambda: np.copyto(target, source)),
        }
    )


def _fastest(work: Callable[[], object]) -> float:
    """Shortest seconds of a few calls; the first touches the memory and does not count."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
