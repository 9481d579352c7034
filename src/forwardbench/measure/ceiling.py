"""Measures the machine's peak rates; a time that would exceed them is called implausible."""

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
"""How often the product is computed: on a busy machine most products are interrupted."""
PIECES = 16
"""The copy is timed in so many pieces, since short ones are interrupted less often."""
ROUNDS = 4
"""How often every piece is copied, after a first round that does not count."""
KERNELS: tuple[dict[str, str], ...] = ({}, {"OPENBLAS_CORETYPE": "SkylakeX"})
"""Environment variables under which the peak is measured; the highest result counts.

OpenBLAS does not know every CPU with AVX-512. On an unknown CPU it chooses kernels of half the
rate, so the AVX-512 kernels are tried as well. If the CPU lacks AVX-512, that process dies, and
only the kernels of OpenBLAS's own choice count.
"""


def measure_ceiling(dtype: str, threads: int, stall_seconds: float = 60.0) -> dict[str, Any]:
    """Measure the machine's peaks with so many threads, in child processes.

    Returns ``dtype``, ``threads``, ``gflops`` (of a matrix product) and ``bytes_per_second`` (read
    and written by a copy). Raises `ChildError`.
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
    """Answer a child process's task: the fastest of many products and of many copies."""
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
