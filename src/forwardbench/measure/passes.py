"""A pass: some visits to every cell, in random order, in fresh processes.

Workers run one after another, never side by side, and no two frameworks share one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from forwardbench import implementations, processes
from forwardbench.files import write_whole
from forwardbench.measure.timing import VISIT_SECONDS, VISITS, visits_of
from forwardbench.measure.watch import Watch
from forwardbench.measure.worker import FINISHED
from forwardbench.records import Cell

STALL_SECONDS = 60.0
"""Shortest time without progress after which a worker counts as hanging."""

_WORKER_SECONDS = 0.4
"""Start and end of a worker: interpreter, imports, pytest, JSON."""
_CELL_SECONDS = 0.004
"""Inputs, warming up, and checking the result, for each cell."""
_VISIT_OVERHEAD_SECONDS = 0.001
"""pytest's own work for each visit."""


@dataclass
class PlannedCell:
    """A cell to measure, and the seconds that are expected to go by."""

    cell: Cell
    seconds: float
    """In a call."""
    first_seconds: float = 0.0
    """In preparing it and in its first call, beyond a later one: once in each process."""
    loading_seconds: float = 0.0
    """In importing what it is made of."""


@dataclass
class PassResult:
    """What one pass brought back."""

    benchmark: dict[str, Any] | None = None
    """pytest-benchmark's JSON of all workers together; None if nothing was measured."""
    failures: dict[str, str] = field(default_factory=dict)
    """Cells that failed, with the reason."""
    meanwhile: dict[str, Any] = field(default_factory=dict)
    """What else the machine did, from `environment.Watch`."""

    def to_json(self) -> dict[str, Any]:
        """What `pass-NNN.json` holds: pytest-benchmark's JSON and two entries of our own."""
        return {
            **(self.benchmark or {"benchmarks": []}),
            "failures": self.failures,
            "meanwhile": self.meanwhile,
        }


def predicted_seconds(plan: Sequence[PlannedCell]) -> float:
    """Seconds that one pass over the plan will take."""
    loading: dict[tuple[str, int], float] = {}
    for planned in plan:
        worker = _worker_of(planned.cell)
        loading[worker] = max(loading.get(worker, 0.0), planned.loading_seconds)
    starting = len(loading) * _WORKER_SECONDS + sum(loading.values())
    return starting + sum(map(_cell_seconds, plan))


def _cell_seconds(planned: PlannedCell) -> float:
    call, visits = planned.seconds, visits_of(planned.seconds)
    each = max(VISIT_SECONDS, call) + _VISIT_OVERHEAD_SECONDS
    warming = call * (visits if visits == VISITS else 1)
    return _CELL_SECONDS + planned.first_seconds + warming + visits * each


def run_pass(
    plan: Sequence[PlannedCell],
    seed: str,
    origin: Mapping[str, Any],
    on_visit: Callable[[], None] = lambda: None,
    stall_seconds: float = STALL_SECONDS,
) -> PassResult:
    """Measure every planned cell, in an order that ``seed`` determines.

    ``origin`` is what the pass shall say of machine and commit. A worker that dies costs the
    cell it died in; the others in it are measured again.
    """
    shuffle = random.Random(seed)
    workers: dict[tuple[str, int], list[PlannedCell]] = {}
    for planned in plan:
        workers.setdefault(_worker_of(planned.cell), []).append(planned)
    result = PassResult()
    watch = Watch()
    for key in shuffle.sample(sorted(workers), len(workers)):
        _run_worker(workers[key], shuffle, origin, result, on_visit, stall_seconds)
    result.meanwhile = watch.report()
    return result


def visits(plan: Sequence[PlannedCell], shuffle: random.Random) -> list[int]:
    """Put the visits to some cells in order, as numbers of cells.

    They go in laps, each a shuffle of its own, so that the visits to a cell are spread over
    the pass; a cell with fewer visits than there are laps takes part in some of them.
    """
    laps: list[list[int]] = [[] for _ in range(VISITS)]
    for number, planned in enumerate(plan):
        for lap in shuffle.sample(laps, visits_of(planned.seconds)):
            lap.append(number)
    return [number for lap in laps for number in shuffle.sample(lap, len(lap))]


def _worker_of(cell: Cell) -> tuple[str, int]:
    """Cells that may share a process: one framework, one thread count.

    A user's own file gets a process to itself, since what it imports is not known.
    """
    framework = _framework(cell.reference)
    return framework, cell.threads


@cache
def _framework(reference: str) -> str:
    """What an implementation needs; looked up once, since its file may vanish meanwhile."""
    description = implementations.describe(reference)
    own = "" if implementations.is_own(description.path) else str(description.path)
    return own or description.requires


def _run_worker(
    plan: list[PlannedCell],
    shuffle: random.Random,
    origin: Mapping[str, Any],
    result: PassResult,
    on_visit: Callable[[], None],
    stall_seconds: float,
) -> None:
    """Measure cells in a fresh process, and again without those that kill it."""
    remaining = list(plan)
    while remaining:
        current: int | None = None

        def follow(line: str) -> None:
            nonlocal current
            word, _, number = line.partition(" ")
            current = int(number)
            if word == FINISHED:
                on_visit()

        count = remaining[0].cell.threads
        task = {
            "cells": [{"cell": p.cell.to_json(), "seconds": p.seconds} for p in remaining],
            "visits": visits(remaining, shuffle),
            **origin,
        }
        try:
            answer = processes.call(
                "forwardbench.measure.worker",
                task,
                stall_seconds=max(stall_seconds, 20 * max(p.seconds for p in remaining)),
                environment=processes.thread_environment(count),
                cpus=processes.cpus_for(count),
                on_progress=follow,
            )
        except processes.ChildError as error:
            # Before the first visit the fault is nobody's own, and trying again would not help.
            lost = remaining if current is None else [remaining.pop(current)]
            result.failures.update({str(planned.cell): str(error) for planned in lost})
            if current is None:
                return
            continue
        if _lost(remaining, answer):
            # The session ended before its time, in the cell that it was at.
            ended = remaining if current is None else [remaining.pop(current)]
            for planned in ended:
                name = str(planned.cell)
                reason = "the worker's session ended before all its visits were made"
                result.failures[name] = answer["failures"].get(name, reason)
            if current is None:
                return
            continue
        result.failures.update(answer["failures"])
        _merge(result, answer["benchmark"])
        return


def _lost(plan: Sequence[PlannedCell], answer: Mapping[str, Any]) -> bool:
    """Whether a worker's answer lacks a cell: neither measured to the end nor failed."""
    entries = (answer["benchmark"] or {"benchmarks": []})["benchmarks"]
    finished = {
        str(Cell.from_json(entry["extra_info"]["cell"]))
        for entry in entries
        if "error" in entry["extra_info"]
    }
    return any(
        str(each.cell) not in finished and str(each.cell) not in answer["failures"] for each in plan
    )


def _merge(result: PassResult, benchmark: dict[str, Any] | None) -> None:
    """Add one worker's pytest-benchmark JSON to the pass."""
    if benchmark is None:
        return
    if result.benchmark is None:
        result.benchmark = benchmark
    else:
        result.benchmark["benchmarks"] += benchmark["benchmarks"]
        # Each worker has the framework of its own cells.
        result.benchmark["machine_info"]["versions"] |= benchmark["machine_info"]["versions"]


def write_pass(folder: Path, number: int, result: PassResult) -> None:
    """Write ``pass-NNN.json``."""
    write_whole(folder / f"pass-{number:03d}.json", json.dumps(result.to_json(), indent=1))
