"""Times the first call of implementations that compile, in fresh processes without caches.

The passes never time a first call. Here each process times one: preparing layers and input, and
the first call. The import of a framework is timed separately, since every program that uses the
framework pays for it, whether it compiles or not.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from random import Random
from time import perf_counter

from forwardbench import implementations, processes, workloads
from forwardbench.measure.passes import PlannedCell
from forwardbench.measure.timing import check_output
from forwardbench.records import Cell, FirstCall, FirstCalls, checked_first_call

STALL_SECONDS = 300.0
"""Longest wait for one import, and for one first call; compilers can be slow."""
CACHES = (
    "CUDA_CACHE_PATH",
    "CUPY_CACHE_DIR",
    "JAX_COMPILATION_CACHE_DIR",
    "NUMBA_CACHE_DIR",
    "PYTORCH_KERNEL_CACHE_PATH",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
)
"""Environment variables with the folders in which compilers keep compiled code."""


def cells_that_compile(plan: Iterable[PlannedCell]) -> list[Cell]:
    """The cells of contenders that compile, without controls, which would only repeat them."""
    return [
        planned.cell
        for planned in plan
        if not planned.cell.control and _compiles(planned.cell.reference)
    ]


@cache
def _compiles(reference: str) -> bool:
    """Whether a file says that it compiles. Cached, since the file may be deleted later."""
    return implementations.describe(reference).compiles


def missing(cells: Sequence[Cell], timed: FirstCalls, count: int) -> list[Cell]:
    """The cells that have fewer than ``count`` first calls; one item for each missing call."""
    return [
        cell
        for cell in cells
        if cell not in timed.failures
        for _ in range(count - len(timed.samples.get(cell, ())))
    ]


def laps(cells: Sequence[Cell], timed: FirstCalls, count: int, seed: int) -> Iterator[Cell]:
    """Yield the cell to call next; ``timed`` is read again for each.

    Each lap calls every cell once. The run's seed determines a new order for each lap, so a
    disturbance does not hit the same cells in every lap.
    """
    for lap in range(count):
        for cell in Random(f"{seed}/first calls/{lap}").sample(cells, len(cells)):
            if len(timed.samples.get(cell, ())) <= lap and cell not in timed.failures:
                yield cell


def rehearse(plan: Sequence[PlannedCell]) -> dict[str, float]:
    """Seconds that a process with one first call takes, for each contender that compiles.

    Each contender is called once, on its first cell. The time of this call is not used, because
    the framework's files may still have to be read from disk. Later calls find them in memory.
    """
    firsts = {cell.implementation: cell for cell in reversed(cells_that_compile(plan))}
    process_seconds = {}
    for name, cell in sorted(firsts.items()):
        start = time.monotonic()
        with suppress(
            processes.ChildError
        ):  # if it fails again later, the failure is recorded there
            time_first_call(cell)
            process_seconds[name] = time.monotonic() - start
    return process_seconds


def time_first_call(cell: Cell, stall_seconds: float = STALL_SECONDS) -> FirstCall:
    """Time a cell's first call in a fresh process; raises `processes.ChildError`."""
    with tempfile.TemporaryDirectory(prefix="forwardbench-", ignore_cleanup_errors=True) as empty:
        answer = processes.call(
            "forwardbench.measure.first_calls",
            {"cell": cell.to_json()},
            stall_seconds=stall_seconds,
            environment={**processes.thread_environment(cell.threads), **_without_caches(empty)},
            cpus=processes.cpus_for(cell.threads),
        )
    try:
        return checked_first_call(*answer)
    except (TypeError, ValueError) as error:
        raise processes.ChildError(f"was not timed: {error}") from None


def _without_caches(empty: str) -> dict[str, str]:
    """Environment variables that hide earlier compiled code from every compiler."""
    return {**dict.fromkeys(CACHES, empty), "JAX_ENABLE_COMPILATION_CACHE": "false"}


def main(link: processes.Link) -> None:
    """Answer a child process's task: seconds of the import and of one cell's first call."""
    cell = Cell.from_json(link.task["cell"])
    data, layers = workloads.get(cell.workload).inputs(cell.case)
    start = perf_counter()
    implementation = implementations.load(cell.reference, cell.workload)
    import_seconds = perf_counter() - start
    link.progress("imported")
    start = perf_counter()
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    out = implementation.compute(*prepared, ready)
    seconds = perf_counter() - start
    check_output(implementation, cell.case, out)
    link.answer([import_seconds, seconds])
