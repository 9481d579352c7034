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
from random import Random

from forwardbench import processes, workloads
from forwardbench.measure.passes import PlannedCell
from forwardbench.records import Cell, FirstCall, FirstCalls, checked_first_call
from forwardbench.verification.check import WrongResultError, check_result
from forwardbench.verification.contender import (
    ContenderFailedError,
    ContenderUnavailableError,
)
from forwardbench.verification.upbringing import compiles, contender_from, raised_by

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
        if not planned.cell.control and compiles(planned.cell.reference)
    ]


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
    workload = workloads.get(cell.workload)
    data, layers = workload.inputs(cell.case)
    with (
        tempfile.TemporaryDirectory(prefix="forwardbench-", ignore_cleanup_errors=True) as empty,
        raised_by(
            cell.reference, cell.workload, cell.threads, processes.cpus_for(cell.threads),
            alone=True, environment=_without_caches(empty),
        ) as nursery,
    ):  # fmt: skip
        try:
            contender = contender_from(nursery, cell.reference, cell.workload, stall_seconds)
            network, layers_seconds = contender.layers(layers)
            prepared, data_seconds = contender.data(data)
            rounds = contender.run(network, [prepared], read=True)
            check_result(rounds.arrays, cell.case, workload.answers(*data, layers, few=True))
            seconds = layers_seconds + data_seconds + rounds.seconds[0]
            return checked_first_call(contender.loading_seconds, seconds)
        except (ContenderFailedError, ContenderUnavailableError, WrongResultError) as error:
            raise processes.ChildError(str(error)) from None
        except (TypeError, ValueError) as error:
            raise processes.ChildError(f"was not timed: {error}") from None


def _without_caches(empty: str) -> dict[str, str]:
    """Environment variables that hide earlier compiled code from every compiler."""
    return {**dict.fromkeys(CACHES, empty), "JAX_ENABLE_COMPILATION_CACHE": "false"}
