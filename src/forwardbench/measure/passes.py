"""A pass: some visits to every cell, in random order, in fresh processes.

Workers run one after another, never at the same time. No worker has cells of two frameworks.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from forwardbench import implementations, processes
from forwardbench.files import write_whole
from forwardbench.measure.outcome import ANSWER
from forwardbench.measure.timing import (
    FAST_SECONDS,
    VISIT_SECONDS,
    VISITS,
    WARM_SECONDS,
    visits_of,
)
from forwardbench.measure.watch import Watch
from forwardbench.processes.nursery import START_SECONDS, Nursery, Upbringing
from forwardbench.records import Cell
from forwardbench.verification.upbringing import COMPILED_CODE

STALL_SECONDS = 60.0
"""A worker that makes no progress for so many seconds, or longer for slow cells, hangs."""

SPARE_SHARE = 0.15
"""What was disturbed is repeated within this share of the time that the passes take so far."""
_KEPT_GAUGES = 1000
"""So many of the last gauges tell how fast the CPU usually is."""
_WORKER_SECONDS = 0.7
"""Predicted seconds to start and end a worker: a nursery, imports, pytest, JSON."""
_CELL_SECONDS = 0.022
"""Predicted seconds for each cell to fork its process, prepare it and check its results."""
_VISIT_OVERHEAD_SECONDS = 0.002
"""Predicted seconds for each visit to give commands, renew inputs and measure the CPU's speed."""


@dataclass
class PlannedCell:
    """A cell to measure, with the seconds that it is expected to take."""

    cell: Cell
    seconds: float
    """Of one call."""
    first_seconds: float = 0.0
    """Of preparing the cell and its first call, minus a later call; once in each process."""
    loading_seconds: float = 0.0
    """Of importing the implementation and its framework."""


@dataclass
class PassResult:
    """The result of one pass."""

    benchmark: dict[str, Any] | None = None
    """pytest-benchmark's JSON of all workers together; None if nothing was measured."""
    failures: dict[str, str] = field(default_factory=dict)
    """The reason for each cell that failed."""
    meanwhile: dict[str, Any] = field(default_factory=dict)
    """What else the machine did during the pass, from `watch.Watch`."""
    rejected: dict[str, str] = field(default_factory=dict)
    """Why the result or the time of a cell was wrong."""

    def to_json(self) -> dict[str, Any]:
        """The contents of `pass-NNN.json`: pytest-benchmark's JSON and three more entries."""
        return {
            **(self.benchmark or {"benchmarks": []}),
            "failures": self.failures,
            "rejected": self.rejected,
            "meanwhile": self.meanwhile,
        }


def predicted_seconds(plan: Sequence[PlannedCell], most_visits: int = VISITS) -> float:
    """Predict the seconds that one pass over the plan takes."""
    loading: dict[tuple[str, int], float] = {}
    for planned in plan:
        worker = _worker_of(planned.cell)
        loading[worker] = max(loading.get(worker, 0.0), planned.loading_seconds)
    starting = len(loading) * _WORKER_SECONDS + sum(loading.values())
    return starting + sum(_cell_seconds(planned, most_visits) for planned in plan)


def _cell_seconds(planned: PlannedCell, most_visits: int) -> float:
    call, visits = planned.seconds, visits_of(planned.seconds, most_visits)
    visit_seconds = max(VISIT_SECONDS, call) + _VISIT_OVERHEAD_SECONDS
    warming = call * visits if call <= FAST_SECONDS else call * (call <= WARM_SECONDS)
    return _CELL_SECONDS + planned.first_seconds + warming + visits * visit_seconds


class Workers:
    """Starts the workers of several passes; a context manager."""

    def __init__(self, plan: Sequence[PlannedCell]) -> None:
        self._cells = [planned.cell.to_json() for planned in plan]
        self._nurseries: dict[int, Nursery] = {}
        self.spare_seconds = 0.0
        """Time that is left for repeating what was disturbed."""
        self.gauges: list[float] = []
        """The CPU's speed so far, see `verification.rounds.gauge`."""

    def ask(
        self, threads: int, work: dict[str, Any], on_visit: Callable[[], None], limit: float
    ) -> dict[str, Any]:
        """Have a fresh worker do its work, beside contenders with so many threads.

        It may be silent for ``limit`` seconds. Raises `ChildError`.
        """
        if threads not in self._nurseries:
            environment = {**COMPILED_CODE, **processes.thread_environment(1)}
            cpus = tuple(processes.cpus_beside(threads))
            self._nurseries[threads] = Nursery(
                Upbringing("forwardbench.measure.worker", {"cells": self._cells}, environment, cpus)
            )
        child = self._nurseries[threads].child()
        try:
            child.post(work)
            while ANSWER not in (message := child.collect(limit).values):
                on_visit()
            answer = dict(message[ANSWER])
            self.spare_seconds = answer["spare_seconds"]
            self.gauges = answer["gauges"][-_KEPT_GAUGES:]
            return answer
        finally:
            child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for nursery in self._nurseries.values():
            nursery.close()


def run_pass(
    plan: Sequence[PlannedCell],
    seed: str,
    origin: Mapping[str, Any],
    on_visit: Callable[[], None] = lambda: None,
    stall_seconds: float = STALL_SECONDS,
    most_visits: int = VISITS,
    workers: Workers | None = None,
) -> PassResult:
    """Measure every planned cell, in an order that ``seed`` determines.

    ``origin`` describes machine and commit; the pass stores it. ``most_visits`` is how often a cell
    is visited at most. ``workers`` may serve several passes.
    """
    if workers is None:
        with Workers(plan) as own:
            return run_pass(plan, seed, origin, on_visit, stall_seconds, most_visits, own)
    shuffle = random.Random(seed)
    plans: dict[tuple[str, int], list[PlannedCell]] = {}
    for planned in plan:
        plans.setdefault(_worker_of(planned.cell), []).append(planned)
    result = PassResult()
    watch = Watch()
    for key in shuffle.sample(sorted(plans), len(plans)):
        plan_of_worker = plans[key]
        workers.spare_seconds += SPARE_SHARE * predicted_seconds(plan_of_worker, most_visits)
        task = {
            "visits": visits(plan_of_worker, shuffle, most_visits),
            "spare_seconds": workers.spare_seconds,
            "gauges": workers.gauges,
            "cpus": processes.cpus_for(key[1]),
            **origin,
        }
        _run_worker(workers, plan_of_worker, task, result, on_visit, stall_seconds)
    result.meanwhile = watch.report()
    return result


def visits(plan: Sequence[PlannedCell], shuffle: random.Random, most: int = VISITS) -> list[int]:
    """Put the visits to some cells in order; each visit is the number of its cell.

    Visits are made in laps, each in a new random order, so the visits to a cell are spread over
    the pass. A cell with fewer visits than there are laps takes part in some of them.
    """
    laps: list[list[int]] = [[] for _ in range(most)]
    for number, planned in enumerate(plan):
        for lap in shuffle.sample(laps, visits_of(planned.seconds, most)):
            lap.append(number)
    return [number for lap in laps for number in shuffle.sample(lap, len(lap))]


def _worker_of(cell: Cell) -> tuple[str, int]:
    """The worker of a cell: cells with the same framework and thread count share one.

    A user's file gets its own worker, since its imports are not known.
    """
    framework = _framework(cell.reference)
    return framework, cell.threads


@cache
def _framework(reference: str) -> str:
    """What an implementation needs. Cached, since its file may be deleted later."""
    description = implementations.describe(reference)
    if implementations.is_builtin(description.path):
        return description.requires
    return str(description.path)


def _run_worker(
    workers: Workers,
    plan: list[PlannedCell],
    task: dict[str, Any],
    result: PassResult,
    on_visit: Callable[[], None],
    stall_seconds: float,
) -> None:
    """Measure cells in a fresh process, which judges them; if it dies, all of them fail."""
    # A contender that hangs is ended by the worker; this is for a worker that hangs itself.
    limit = max(stall_seconds, 20 * max(planned.seconds for planned in plan))
    cells = [{"cell": planned.cell.to_json(), "seconds": planned.seconds} for planned in plan]
    try:
        work = {"cells": cells, "time_limit": limit, **task}
        answer = workers.ask(plan[0].cell.threads, work, on_visit, 2 * limit + START_SECONDS)
    except processes.ChildError as error:
        result.failures.update({str(planned.cell): str(error) for planned in plan})
        return
    result.failures.update(answer["failures"])
    result.rejected.update(answer["rejected"])
    _merge(result, answer["benchmark"])


def _merge(result: PassResult, benchmark: dict[str, Any] | None) -> None:
    """Add one worker's pytest-benchmark JSON to the pass."""
    if benchmark is None:
        return
    if result.benchmark is None:
        result.benchmark = benchmark
    else:
        result.benchmark["benchmarks"] += benchmark["benchmarks"]
        # Each worker lists the versions of the framework that its cells use.
        result.benchmark["machine_info"]["versions"] |= benchmark["machine_info"]["versions"]


def write_pass(folder: Path, number: int, result: PassResult) -> None:
    """Write ``pass-NNN.json``."""
    write_whole(folder / f"pass-{number:03d}.json", json.dumps(result.to_json(), indent=1))
