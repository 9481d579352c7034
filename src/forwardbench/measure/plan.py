"""The plan of a run: which cells to measure, which to leave out, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from forwardbench import processes, workloads
from forwardbench.cases import Sweep
from forwardbench.measure.ceiling import measure_ceiling
from forwardbench.measure.first_calls import rehearse
from forwardbench.measure.passes import STALL_SECONDS, PlannedCell
from forwardbench.measure.probe import Prediction
from forwardbench.measure.request import Request
from forwardbench.records import DEFAULT_WORKLOAD, Cell
from forwardbench.verification.verify import Verdict


@dataclass(frozen=True)
class Skipped:
    """A cell that will not be measured, and why."""

    cell: Cell
    status: str
    reason: str
    estimate: tuple[float | None, ...] = ()
    """Seconds, low and high, where the time could be predicted."""


@dataclass
class Plan:
    """What a run will measure and what it will leave out."""

    measured: list[PlannedCell] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ceilings: list[dict[str, Any]] = field(default_factory=list)
    """The machine's peak rates for each dtype and thread count, from `measure_ceiling`."""
    probing_seconds: float = 0.0
    """Total time of the calls on which the plan is based."""
    starting_seconds: dict[str, float] = field(default_factory=dict)
    """Time of a process that makes only a first call, for each contender that compiles."""

    def to_json(self) -> dict[str, Any]:
        """The part of `run.json` that stores the plan; `from_json` is the inverse."""
        return {
            "ceilings": self.ceilings,
            "probing_seconds": self.probing_seconds,
            "starting_seconds": self.starting_seconds,
            "measured": [
                {
                    "cell": planned.cell.to_json(),
                    "expected_seconds": planned.seconds,
                    "first_seconds": planned.first_seconds,
                    "loading_seconds": planned.loading_seconds,
                }
                for planned in self.measured
            ],
            "skipped": [
                {
                    "cell": skipped.cell.to_json(),
                    "status": skipped.status,
                    "reason": skipped.reason,
                    "estimate": list(skipped.estimate),
                }
                for skipped in self.skipped
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from `run.json`."""
        measured = [
            PlannedCell(
                Cell.from_json(item["cell"]),
                float(item["expected_seconds"]),
                float(item.get("first_seconds", 0.0)),
                float(item.get("loading_seconds", 0.0)),
            )
            for item in document["measured"]
        ]
        if not all(0 < planned.seconds < math.inf for planned in measured):
            raise ValueError("an expected time that is not a positive number")
        starting = {
            str(name): float(seconds)
            for name, seconds in document.get("starting_seconds", {}).items()
        }
        skipped = [
            Skipped(
                Cell.from_json(item["cell"]), item["status"], item["reason"],
                tuple(item["estimate"]),
            )
            for item in document["skipped"]
        ]  # fmt: skip
        return cls(measured, skipped, document["ceilings"], document["probing_seconds"], starting)


def make_plan(
    request: Request,
    verdicts: Mapping[str, Verdict],
    stall_seconds: float = STALL_SECONDS,
) -> Plan:
    """Decide which cells to measure, after a few calls of each verified contender.

    The plan includes controls: a second measurement of the baseline and of the fastest
    contender.
    """
    plan = Plan()
    cells = list(
        cells_of(
            request.contenders, request.sweeps, request.dtypes, request.threads, request.workload
        )
    )
    for name, verdict in verdicts.items():
        contender_cells = [cell for cell in cells if cell.implementation == name]
        if verdict.status == "verified":
            _plan_contender(plan, contender_cells, request.limit, stall_seconds)
        else:
            plan.skipped += [
                Skipped(cell, verdict.status, verdict.reason) for cell in contender_cells
            ]
    _add_controls(plan, request.baseline)
    if request.first_calls:
        plan.starting_seconds = rehearse(plan.measured)
    for dtype in request.dtypes:
        for count in sorted({1, *request.threads, len(processes.available_cpus())}):
            with suppress(processes.ChildError):  # no peak, then no doubts
                plan.ceilings.append(measure_ceiling(dtype, count))
    return plan


def cells_of(
    contenders: dict[str, str],
    sweeps: Sequence[Sweep],
    dtypes: Sequence[str],
    threads: Sequence[int],
    workload: str = DEFAULT_WORKLOAD,
) -> Iterator[Cell]:
    """Yield every cell of a run; ``contenders`` maps names to references for `load`."""
    for sweep in sweeps:
        for dtype in dtypes:
            for case in sweep.cases:
                for count in threads:
                    for name, reference in contenders.items():
                        yield Cell(
                            name, reference, sweep.name, replace(case, dtype=dtype), count,
                            workload=workload,
                        )  # fmt: skip


def _plan_contender(plan: Plan, cells: list[Cell], limit: float, stall_seconds: float) -> None:
    """Predict the times of one contender's cells, in one child process for each thread count."""
    for count in dict.fromkeys(cell.threads for cell in cells):
        cells_of_count = [cell for cell in cells if cell.threads == count]
        task = {
            "reference": cells_of_count[0].reference,
            "cells": [cell.to_json() for cell in cells_of_count],
            "limit": limit,
        }
        try:
            answer = processes.call(
                "forwardbench.measure.probe",
                task,
                stall_seconds=stall_seconds + 10 * limit,
                environment=processes.thread_environment(count),
                cpus=processes.cpus_for(count),
            )
        except processes.ChildError as error:
            plan.skipped += [
                Skipped(cell, "failed", f"when first called: {error}") for cell in cells_of_count
            ]
            continue
        for cell in cells_of_count:
            prediction = Prediction.from_json(answer["cells"][str(cell)])
            plan.probing_seconds += prediction.calling_seconds
            over_limit = f"{prediction.seconds:.3g} s a call, over the limit of {limit:g} s"
            if prediction.worth_measuring(limit):
                once_a_process = prediction.first_seconds, answer["loading_seconds"]
                plan.measured.append(PlannedCell(cell, prediction.seconds, *once_a_process))
            elif prediction.fit is None:
                plan.skipped.append(Skipped(cell, "skipped", f"took {over_limit}"))
            else:
                work = workloads.get(cell.workload).work(cell.case)
                estimate = prediction.fit.estimate(work)
                plan.skipped.append(Skipped(cell, "skipped", f"predicted {over_limit}", estimate))


def _add_controls(plan: Plan, baseline: str) -> None:
    """Plan a second measurement of the baseline and of the fastest contenders, as controls.

    In each setting, the fastest contender is the one with the shortest time on the largest case.
    """
    fastest: set[str] = set()
    settings: dict[tuple[str, str, int], list[PlannedCell]] = {}
    for planned in plan.measured:
        cell = planned.cell
        settings.setdefault((cell.sweep, cell.case.dtype, cell.threads), []).append(planned)
    for planned_cells in settings.values():
        multiply_adds = workloads.get(planned_cells[0].cell.workload).multiply_adds
        largest = max(multiply_adds(planned.cell.case) for planned in planned_cells)
        at_largest = [p for p in planned_cells if multiply_adds(p.cell.case) == largest]
        fastest.add(min(at_largest, key=lambda planned: planned.seconds).cell.implementation)
    for planned in list(plan.measured):
        if planned.cell.implementation in {baseline, *fastest}:
            control = replace(planned.cell, control=True)
            plan.measured.append(replace(planned, cell=control))
