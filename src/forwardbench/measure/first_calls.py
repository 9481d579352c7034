"""What a first call costs where it compiles: timed in a fresh process, with nothing compiled yet.

The passes never time a first call. Here it is all that is timed, once in each process: bringing
layers and input into their form, and the first call. Importing a framework is timed apart,
since every program that uses it pays that, whether anything is compiled or not.
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
"""Longest wait for one import, and for one first call: compilers take their time."""
CACHES = (
    "CUDA_CACHE_PATH",
    "CUPY_CACHE_DIR",
    "JAX_COMPILATION_CACHE_DIR",
    "NUMBA_CACHE_DIR",
    "PYTORCH_KERNEL_CACHE_PATH",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
)
"""Variables that say where compilers keep on disk what they have compiled."""


def compiling(plan: Iterable[PlannedCell]) -> list[Cell]:
    """The cells of contenders that compile; a control would only repeat them."""
    return [
        planned.cell
        for planned in plan
        if not planned.cell.control and _compiles(planned.cell.reference)
    ]


@cache
def _compiles(reference: str) -> bool:
    """Whether a file says that it compiles; looked up once, since the file may vanish meanwhile."""
    return implementations.describe(reference).compiles


def missing(cells: Sequence[Cell], made: FirstCalls, count: int) -> list[Cell]:
    """What must still be called so that each cell has ``count`` first calls, one item a call."""
    return [
        cell
        for cell in cells
        if cell not in made.failures
        for _ in range(count - len(made.samples.get(cell, ())))
    ]


def laps(cells: Sequence[Cell], made: FirstCalls, count: int, seed: int) -> Iterator[Cell]:
    """Yield the cell to call next, in view of what ``made`` then holds.

    Each lap calls every cell once, in an order of its own that the run's seed determines: what
    disturbs a minute hits different cells in each lap.
    """
    for lap in range(count):
        for cell in Random(f"{seed}/first calls/{lap}").sample(cells, len(cells)):
            if len(made.samples.get(cell, ())) <= lap and cell not in made.failures:
                yield cell


def rehearse(plan: Sequence[PlannedCell]) -> dict[str, float]:
    """Seconds that a process with one first call takes, for each contender that compiles.

    One call each, on the first of its cells. What it says of the call is thrown away: the files of
    a framework may have to come from the disk, later ones find them in memory.
    """
    firsts = {cell.implementation: cell for cell in reversed(compiling(plan))}
    spent = {}
    for name, cell in sorted(firsts.items()):
        start = time.monotonic()
        with suppress(processes.ChildError):  # if it fails again, its cells will say so
            time_first_call(cell)
            spent[name] = time.monotonic() - start
    return spent


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
    """Environment variables under which no compiler finds what it has compiled before."""
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
