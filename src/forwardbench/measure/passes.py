"""A pass: one visit to every cell, in random order, in fresh processes.

Workers run one after another, never side by side, and no two frameworks share one.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forwardbench import implementations, isolation
from forwardbench.measure import threads
from forwardbench.measure.cells import CELL_SECONDS, MIN_ROUNDS, Cell
from forwardbench.measure.worker import FINISHED

STALL_SECONDS = 60.0
"""Shortest time without progress after which a worker counts as hanging."""

_WORKER_SECONDS = 0.8
"""Start and end of a worker: interpreter, imports, pytest, JSON."""
_CELL_OVERHEAD_SECONDS = 0.004
"""Inputs, calibration, checking the result, and pytest's own work, for each cell."""


@dataclass
class PlannedCell:
    """A cell to measure, and the seconds a call of it is expected to take."""

    cell: Cell
    seconds: float


@dataclass
class PassResult:
    """What one pass brought back."""

    benchmark: dict[str, Any] | None
    """pytest-benchmark's JSON of all workers together; None if nothing was measured."""
    failures: dict[str, str] = field(default_factory=dict)
    """Cells that failed, with the reason."""


def predicted_seconds(plan: Sequence[PlannedCell]) -> float:
    """Seconds that one pass over the plan will take."""
    workers = len({_worker_of(planned.cell) for planned in plan})
    return workers * _WORKER_SECONDS + sum(map(_cell_seconds, plan))


def _cell_seconds(planned: PlannedCell) -> float:
    call = planned.seconds
    if call > CELL_SECONDS:
        return 2 * call + _CELL_OVERHEAD_SECONDS  # warm-up and the one that counts
    return max(CELL_SECONDS, MIN_ROUNDS * call) + 3 * call + _CELL_OVERHEAD_SECONDS


def run_pass(
    plan: Sequence[PlannedCell],
    seed: str,
    commit: Mapping[str, Any],
    on_cell: Callable[[], None] = lambda: None,
    stall_seconds: float = STALL_SECONDS,
) -> PassResult:
    """Measure every planned cell once, in an order that ``seed`` determines.

    A worker that dies costs the cell it died in; the others in it are measured again.
    """
    shuffle = random.Random(seed)
    workers: dict[tuple[str, int], list[PlannedCell]] = {}
    for planned in shuffle.sample(plan, len(plan)):
        workers.setdefault(_worker_of(planned.cell), []).append(planned)
    result = PassResult(None)
    for key in shuffle.sample(sorted(workers), len(workers)):
        _run_worker(workers[key], commit, result, on_cell, stall_seconds)
    return result


def _worker_of(cell: Cell) -> tuple[str, int]:
    """Cells that may share a process: one framework, one thread count.

    A user's own file gets a process to itself, since what it imports is not known.
    """
    description = implementations.describe(cell.reference)
    own = "" if description.path.parent == implementations.FOLDER else str(description.path)
    return own or description.requires, cell.threads


def _run_worker(
    plan: list[PlannedCell],
    commit: Mapping[str, Any],
    result: PassResult,
    on_cell: Callable[[], None],
    stall_seconds: float,
) -> None:
    """Measure cells in a fresh process, and again without those that kill it."""
    remaining = list(plan)
    while remaining:
        current = 0

        def follow(line: str) -> None:
            nonlocal current
            word, _, number = line.partition(" ")
            current = int(number)
            if word == FINISHED:
                on_cell()

        count = remaining[0].cell.threads
        task = {
            "cells": [{"cell": p.cell.to_json(), "seconds": p.seconds} for p in remaining],
            "commit": commit,
        }
        try:
            answer = isolation.call(
                "forwardbench.measure.worker",
                task,
                stall_seconds=max(stall_seconds, 20 * max(p.seconds for p in remaining)),
                environment=threads.environment(count),
                cpus=threads.cpus_for(count),
                on_progress=follow,
            )
        except isolation.ChildError as error:
            result.failures[str(remaining.pop(current).cell)] = str(error)
            continue
        result.failures.update(answer["failures"])
        _merge(result, answer["benchmark"])
        return


def _merge(result: PassResult, benchmark: dict[str, Any] | None) -> None:
    """Add one worker's pytest-benchmark JSON to the pass."""
    if benchmark is None:
        return
    if result.benchmark is None:
        result.benchmark = benchmark
    else:
        result.benchmark["benchmarks"] += benchmark["benchmarks"]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that after a crash it is there whole or not at all.

    The temporary file lies in the same folder, since a rename is atomic only there.
    """
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def write_pass(folder: Path, number: int, result: PassResult) -> None:
    """Write ``pass-NNN.json``: pytest-benchmark's JSON, and the cells that failed."""
    document = {**(result.benchmark or {"benchmarks": []}), "failures": result.failures}
    write_whole(folder / f"pass-{number:03d}.json", json.dumps(document, indent=1))
