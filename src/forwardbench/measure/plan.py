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
    """The machine's peaks for each dtype and thread count, from `measure_ceiling`."""
    probing_seconds: float = 0.0
    """How long the calls took that the plan is based on."""
    starting_seconds: dict[str, float] = field(default_factory=dict)
    """How long a process takes that does nothing but a first call, by contender that compiles."""

    def to_json(self) -> dict[str, Any]:
        """What `run.json` keeps of it; `from_json` is the inverse."""
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
            raise ValueError("an expected time that cannot be")
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
    """Decide which cells to measure, after a few calls of each contender that verified.

    Controls, a second measurement of the baseline and of the fastest contender, are
    among the cells.
    """
    plan = Plan()
    cells = list(
        cells_of(
            request.contenders, request.sweeps, request.dtypes, request.threads, request.workload
        )
    )
    for name, verdict in verdicts.items():
        mine = [cell for cell in cells if cell.implementation == name]
        if verdict.status == "verified":
            _plan_contender(plan, mine, request.limit, stall_seconds)
        else:
            plan.skipped += [Skipped(cell, verdict.status, verdict.reason) for cell in mine]
    _add_controls(plan, request.baseline)
    if request.first_calls:
        plan.starting_seconds = rehearse(plan.measured)
    for dtype in request.dtypes:
        for count in sorted({1, *request.threads, len(processes.available_cpus())}):
            with suppress(processes.ChildError):  # too little memory, say: nothing is doubted then
                plan.ceilings.append(measure_ceiling(dtype, count))
    return plan


def cells_of(
    contenders: dict[str, str],
    sweeps: Sequence[Sweep],
    dtypes: Sequence[str],
    threads: Sequence[int],
    workload: str = DEFAULT_WORKLOAD,
) -> Iterator[Cell]:
    """Yield every cell of a run; ``contenders`` maps names to what they are loaded by."""
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
    """Predict one contender's cells in processes of its own, one for each thread count."""
    for count in dict.fromkeys(cell.threads for cell in cells):
        asked = [cell for cell in cells if cell.threads == count]
        task = {
            "reference": asked[0].reference,
            "cells": [cell.to_json() for cell in asked],
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
                Skipped(cell, "failed", f"when first called: {error}") for cell in asked
            ]
            continue
        for cell in asked:
            prediction = Prediction.from_json(answer["cells"][str(cell)])
            plan.probing_seconds += prediction.spent
            limited = f"{prediction.seconds:.3g} s a call, over the limit of {limit:g} s"
            if prediction.worth_measuring(limit):
                once = prediction.first, answer["loading_seconds"]
                plan.measured.append(PlannedCell(cell, prediction.seconds, *once))
            elif prediction.fit is None:
                plan.skipped.append(Skipped(cell, "skipped", f"took {limited}"))
            else:
                work = workloads.get(cell.workload).work(cell.case)
                estimate = prediction.fit.estimate(work)
                plan.skipped.append(Skipped(cell, "skipped", f"predicted {limited}", estimate))


def _add_controls(plan: Plan, baseline: str) -> None:
    """Measure the baseline and the fastest contender a second time, under their own label.

    The fastest is the one that needs the least time over the largest case of each setting.
    """
    fastest: set[str] = set()
    settings: dict[tuple[str, str, int], list[PlannedCell]] = {}
    for planned in plan.measured:
        cell = planned.cell
        settings.setdefault((cell.sweep, cell.case.dtype, cell.threads), []).append(planned)
    for planned_cells in settings.values():
        multiply_adds = workloads.get(planned_cells[0].cell.workload).multiply_adds
        largest = max(multiply_adds(planned.cell.case) for planned in planned_cells)
        there = [p for p in planned_cells if multiply_adds(p.cell.case) == largest]
        fastest.add(min(there, key=lambda planned: planned.seconds).cell.implementation)
    for planned in list(plan.measured):
        if planned.cell.implementation in {baseline, *fastest}:
            control = replace(planned.cell, control=True)
            plan.measured.append(replace(planned, cell=control))
