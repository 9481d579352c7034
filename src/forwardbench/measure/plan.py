"""The plan of a run: which cells to measure, which to leave out, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from forwardbench import processes, workloads
from forwardbench.cases import Sweep
from forwardbench.errors import one_line
from forwardbench.measure.ceiling import measure_ceiling
from forwardbench.measure.first_calls import rehearse
from forwardbench.measure.passes import STALL_SECONDS, PlannedCell
from forwardbench.measure.probe import predict_cells
from forwardbench.measure.request import Request
from forwardbench.records import DEFAULT_WORKLOAD, LEFT_OUT, Cell, Status
from forwardbench.verification.contender import (
    ContenderFailedError,
    ContenderUnavailableError,
)
from forwardbench.verification.verify import Nurseries, Verdict


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
    def from_json(cls, document: Mapping[str, Any], request: Request) -> Plan:
        """Rebuild the plan of a request from `run.json`, which may come from elsewhere.

        Cells are those of the request, whose files are known. The document says only which of them
        are measured, and with what times, and why the others are left out. Raises `ValueError` for
        a cell that the request does not have, and `KeyError` or `TypeError` for other things.
        """
        plain = list(_cells_of_request(request))
        cells = {cell: cell for cell in (*plain, *(replace(cell, control=True) for cell in plain))}
        measured = [
            PlannedCell(
                _take(cells, item["cell"]),
                _seconds(item["expected_seconds"]),
                _seconds(item.get("first_seconds", 0.0)),
                _seconds(item.get("loading_seconds", 0.0)),
            )
            for item in document["measured"]
        ]
        if not all(planned.seconds for planned in measured):
            raise ValueError("an expected time that is not a positive number")
        skipped = [
            Skipped(
                _take(cells, item["cell"]), Status(item["status"]), one_line(item["reason"]),
                tuple(None if value is None else float(value) for value in item["estimate"]),
            )
            for item in document["skipped"]
        ]  # fmt: skip
        if not all(each.status in LEFT_OUT for each in skipped):
            raise ValueError("a cell that is left out with a status of those that are not")
        starting = {
            name: _seconds(seconds)
            for name, seconds in document.get("starting_seconds", {}).items()
            if name in request.contenders
        }
        ceilings, probing = list(document["ceilings"]), _seconds(document["probing_seconds"])
        return cls(measured, skipped, ceilings, probing, starting)

    def without_unverified(self, verdicts: Mapping[str, Verdict]) -> Plan:
        """The same plan; what is not verified (any more) is left out, with the reason."""
        kept, left_out = [], []
        for planned in self.measured:
            verdict = verdicts[planned.cell.implementation]
            if verdict.status == "verified":
                kept.append(planned)
            else:
                left_out.append(Skipped(planned.cell, verdict.status, verdict.reason))
        return replace(self, measured=kept, skipped=[*self.skipped, *left_out])


def _take(cells: dict[Cell, Cell], values: dict[str, Any]) -> Cell:
    """Take the cell that ``values`` describe out of a request's cells; raises `ValueError`."""
    described = Cell.from_json(values)
    try:
        return cells.pop(described)
    except KeyError:
        raise ValueError(
            f"the cell {described}, loaded by {described.reference!r}, which is none of its "
            "request's cells, or is there twice"
        ) from None


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"a time of {seconds} s")
    return seconds


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
    cells = list(_cells_of_request(request))
    for name, verdict in verdicts.items():
        if verdict.status != "verified":
            plan.skipped += [
                Skipped(cell, verdict.status, verdict.reason)
                for cell in cells
                if cell.implementation == name
            ]
    for count in request.threads:
        with Nurseries(request.workload, count) as nurseries:
            for name, verdict in verdicts.items():
                if verdict.status == "verified":
                    mine = [c for c in cells if (c.implementation, c.threads) == (name, count)]
                    _plan_contender(plan, mine, request.limit, stall_seconds, nurseries)
    _add_controls(plan, request.baseline)
    if request.first_calls:
        plan.starting_seconds = rehearse(plan.measured)
    for dtype in request.dtypes:
        for count in sorted({1, *request.threads}):
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


def _cells_of_request(request: Request) -> Iterator[Cell]:
    return cells_of(
        request.contenders, request.sweeps, request.dtypes, request.threads, request.workload
    )


def _plan_contender(
    plan: Plan, cells: list[Cell], limit: float, stall_seconds: float, nurseries: Nurseries
) -> None:
    """Predict the times of one contender's cells with one number of threads."""
    if not cells:
        return
    first = cells[0]
    try:
        with nurseries.contender(first.reference, stall_seconds + 10 * limit) as contender:
            predictions = predict_cells(contender, cells, limit)
    except (ContenderFailedError, ContenderUnavailableError, processes.ChildError) as error:
        plan.skipped += [Skipped(cell, "failed", f"when first called: {error}") for cell in cells]
        return
    for cell, prediction in predictions.items():
        plan.probing_seconds += prediction.calling_seconds
        over_limit = f"{prediction.seconds:.3g} s a call, over the limit of {limit:g} s"
        if prediction.worth_measuring(limit):
            once_a_process = prediction.first_seconds, contender.loading_seconds
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
    settings: dict[tuple[str, str, int], list[PlannedCell]] = {}
    for planned in plan.measured:
        cell = planned.cell
        settings.setdefault((cell.sweep, cell.case.dtype, cell.threads), []).append(planned)
    for planned_cells in settings.values():
        multiply_adds = workloads.get(planned_cells[0].cell.workload).multiply_adds
        largest = max(multiply_adds(planned.cell.case) for planned in planned_cells)
        at_largest = [p for p in planned_cells if multiply_adds(p.cell.case) == largest]
        fastest = min(at_largest, key=lambda planned: planned.seconds).cell.implementation
        plan.measured += [
            replace(planned, cell=replace(planned.cell, control=True))
            for planned in planned_cells
            if planned.cell.implementation in {baseline, fastest}
        ]
