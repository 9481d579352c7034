"""What this machine can do at most: a result that claims more is not believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

from forwardbench import processes
from forwardbench.records import COPIED_BYTES

SIZE = 512
"""Rows and columns of the matrix product: large enough for BLAS's full rate."""
PRODUCTS = 30
"""How often it is computed: on a busy machine few of them are not interrupted."""
PIECES = 16
"""They are copied in pieces, each timed: a short copy may escape an interruption."""
ROUNDS = 4
KERNELS: tuple[dict[str, str], ...] = ({}, {"OPENBLAS_CORETYPE": "SkylakeX"})
"""OpenBLAS does not know every CPU with AVX-512, and takes kernels of half the rate on those it
does not know. So the peak is that of its own choice or of the others, whichever is higher; where
the CPU lacks the instructions, that process dies and its own choice counts.
"""


def measure_ceiling(dtype: str, threads: int, stall_seconds: float = 60.0) -> dict[str, Any]:
    """Measure the machine's peaks in processes of their own, with that many threads.

    Returns dtype, threads, gflops (of a matrix product) and bytes_per_second (moved by a
    copy, in and out).
    Raises `ChildError`.
    """
    answers: list[dict[str, float]] = []
    for kernels in KERNELS:
        with suppress(processes.ChildError) if answers else nullcontext():
            answers.append(
                processes.call(
                    "forwardbench.measure.ceiling",
                    {"dtype": dtype},
                    stall_seconds=stall_seconds,
                    environment={**processes.thread_environment(threads), **kernels},
                    cpus=processes.cpus_for(threads),
                )
            )
    peaks = {name: max(answer[name] for answer in answers) for name in answers[0]}
    return {"dtype": dtype, "threads": threads, **peaks}


def main(link: processes.Link) -> None:
    """Answer a child process's task with the fastest of many repeats of each."""
    import numpy as np

    a = np.ones((SIZE, SIZE), link.task["dtype"])
    product = np.empty_like(a)
    np.matmul(a, a, out=product)  # starts BLAS's threads
    products = [_seconds(lambda: np.matmul(a, a, out=product)) for _ in range(PRODUCTS)]
    sources = np.array_split(np.ones(COPIED_BYTES, np.uint8), PIECES)
    targets = np.array_split(np.zeros(COPIED_BYTES, np.uint8), PIECES)
    copies = [
        _seconds(partial(np.copyto, target, source))
        for _ in range(1 + ROUNDS)
        for target, source in zip(targets, sources, strict=True)
    ]
    fastest_copy = min(copies[PIECES:])  # the first round touches the memory
    link.answer(
        {
            "gflops": 2 * SIZE**3 / min(products) / 1e9,
            "bytes_per_second": 2 * COPIED_BYTES / PIECES / fastest_copy,
        }
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
