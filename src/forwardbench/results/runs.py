"""Read run folders and single passes as `Results`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.errors import UserError, one_line
from forwardbench.files import read_json, reporting_bad_contents, without_garbage_collection
from forwardbench.records import DEFAULT_BASELINE, LEFT_OUT, Cell, FirstCalls, Status
from forwardbench.records import FIRST_CALLS_FILE as FIRST_CALLS
from forwardbench.results import validation
from forwardbench.results.facts import run_facts
from forwardbench.results.model import (
    CELL_KEY,
    FIRST_CALL_COLUMNS,
    HOST,
    SAMPLE_COLUMNS,
    Circumstances,
    Origin,
    Results,
)
from forwardbench.results.pass_files import Pass, read_cell, read_pass, read_spent
from forwardbench.statistics.intervals import EARLY_STOP_LEVEL, LEVEL

BUSIER = 1.25
"""A cell that kept more busy CPUs than this, as a multiple of its threads, used more than it was
asked to. The code around its rounds is counted too, which is usually a few percent."""


def load_file(path: Path) -> Results:
    """Read one pytest-benchmark JSON file as a run of one pass; raises `UserError`."""
    single = read_pass(path)
    if not single.seconds:
        raise UserError(f"{path} holds no results of forwardbench's benchmarks")
    cells = {cell: _cell_row(cell) for cell in single.seconds}
    with reporting_bad_contents(path):
        return _assemble([single], cells, DEFAULT_BASELINE, {}, {})


@without_garbage_collection()
def load_folder(folder: Path) -> Results:
    """Read a run's folder; raises `UserError`."""
    run = folder / "run.json"
    if not run.is_file():
        raise UserError(f"{folder} is not a run: it holds no run.json")
    document = read_json(run)
    with reporting_bad_contents(run):
        baseline = one_line(validation.text(document["request"]["baseline"], "a baseline"))
        cells: dict[Cell, dict[str, Any]] = {}
        known: dict[str, Cell] = {}
        for item in document.get("measured", []):
            cell = read_cell(item["cell"], known)
            cells[cell] = _cell_row(cell)
        for item in document.get("skipped", []):
            cell = read_cell(item["cell"], known)
            if item["status"] not in LEFT_OUT:
                raise ValueError(f"status {item['status']!r}")
            cells[cell] = _cell_row(cell, item["status"], item["reason"], item["estimate"])
        ceilings = {
            (str(item["dtype"]), int(item["threads"])): (
                _rate(item["gflops"]),
                _rate(item["bytes_per_second"]),
            )
            for item in document.get("ceilings", [])
        }
    if not cells:
        raise UserError(f"{folder} holds a run that measured nothing: run it again")
    passes = [read_pass(path, known) for path in sorted(folder.glob("pass-*.json"))]
    with reporting_bad_contents(run):
        measured = _assemble(passes, cells, baseline, ceilings, document)
    return replace(measured, first_calls=_read_first_calls(folder))


def _read_first_calls(folder: Path) -> pd.DataFrame:
    """One row for each first call that was timed, and for each cell whose first call failed."""
    first_calls = FirstCalls.read(folder)
    with reporting_bad_contents(folder / FIRST_CALLS):
        rows = [
            {
                **_key(cell),
                "import_seconds": validation.number(
                    call.import_seconds, 0, validation.LONGEST, "a time"
                ),
                "seconds": validation.seconds(call.seconds),
                "reason": "",
            }
            for cell, calls in first_calls.samples.items()
            for call in calls
        ]
        rows += [{**_key(cell), "reason": reason} for cell, reason in first_calls.failures.items()]
    return pd.DataFrame(rows, columns=FIRST_CALL_COLUMNS)


def _first_of(texts: Sequence[str]) -> str:
    """The first of several texts, and how many others there are."""
    first, *others = [*dict.fromkeys(texts)] or [""]
    return f"{first} (and {len(others)} more of the kind)" if others else first


def _too_many_cpus(passes: Sequence[Pass]) -> Iterator[str]:
    """Say which cells, in most of their passes, kept more CPUs busy than were asked for.

    No framework reports how many of its threads had work, but the CPU time shows it. A single
    pass proves nothing, since chance may have disturbed it.
    """
    for cell in dict.fromkeys(cell for one_pass in passes for cell in one_pass.cpus):
        cpus_by_pass = [one_pass.cpus[cell] for one_pass in passes if cell in one_pass.cpus]
        cpus = median_low(cpus_by_pass)
        if len(cpus_by_pass) > 1 and cpus > BUSIER * cell.threads:
            yield (
                f"{cell.implementation} was asked to use {cell.threads} CPUs and kept {cpus:.2g} "
                f"busy at {cell.case}"
            )


def _rate(value: Any) -> float:
    return validation.number(value, 1 / validation.HIGHEST_RATE, validation.HIGHEST_RATE, "a rate")


def _prediction(estimate: Sequence[Any]) -> tuple[float, float, float]:
    """Predicted seconds, low and high; NaN where one is unknown or too large to be of use."""
    nan = float("nan")
    centre, low, high = (nan if value is None else value for value in (*estimate, *[None] * 3)[:3])
    if centre != centre:
        return nan, nan, nan
    centre = validation.seconds(centre, validation.LONGEST_PREDICTED)
    if not (low >= validation.SHORTEST and high <= validation.LONGEST_PREDICTED):
        return centre, nan, nan
    if not low <= centre <= high:
        raise ValueError(f"an estimate of {centre} from {low} to {high}")
    return centre, float(low), float(high)


def _key(cell: Cell) -> dict[str, Any]:
    """The columns of `CELL_KEY`."""
    case = cell.case
    values = (
        cell.label, cell.sweep, str(case), case.activation, case.dtype, cell.threads, cell.workload
    )  # fmt: skip
    return dict(zip(CELL_KEY, values, strict=True))


def _cell_row(
    cell: Cell, status: str = "measured", reason: str = "", estimate: Sequence[Any] = ()
) -> dict[str, Any]:
    """One row of `Results.cells`."""
    predicted, low, high = _prediction(estimate)
    return {
        **_key(cell),
        HOST: "",
        "batch": cell.case.batch,
        "widths": "-".join(map(str, cell.case.widths)),
        "control_of": cell.implementation if cell.control else "",
        "status": str(status),
        "reason": one_line(reason),
        "predicted": predicted,
        "predicted_low": low,
        "predicted_high": high,
    }


def _assemble(
    passes: list[Pass],
    cells: dict[Cell, dict[str, Any]],
    baseline: str,
    ceilings: dict[tuple[str, int], tuple[float, float]],
    document: dict[str, Any],
) -> Results:
    """Combine the passes, and set the status of each cell."""
    timed = dict.fromkeys(cell for one_pass in passes for cell in one_pass.seconds)
    keys = {cell: tuple(_key(cell).values()) for cell in timed}
    samples = [
        (*keys[cell], "", number, seconds, one_pass.errors[cell])
        for number, one_pass in enumerate(passes, 1)
        for cell, seconds in one_pass.seconds.items()
    ]
    columns = [*CELL_KEY, HOST, "pass", "seconds", "error"]
    problems = {name: problem for one_pass in passes for name, problem in one_pass.problems.items()}
    for cell, row in cells.items():
        if problem := _problem(cell, problems):
            row["status"], row["reason"] = problem
        elif row["status"] == "measured" and not any(cell in each.seconds for each in passes):
            row["status"], row["reason"] = "skipped", "the run ended before it was measured"
    return Results(
        pd.DataFrame(samples, columns=columns).reindex(columns=SAMPLE_COLUMNS),
        pd.DataFrame(list(cells.values())),
        baseline,
        passes[0].machine if passes else "",
        passes[0].commit if passes else "",
        ceilings,
        EARLY_STOP_LEVEL if _stopped_on_results(document) else LEVEL,
        _circumstances(passes, document),
        _origin(passes, document),
        on_gpu=_on_gpu(document),
    )


def _problem(cell: Cell, problems: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Why a cell has no figure: it failed, or it or its second measurement was rejected."""
    twin = problems.get(str(replace(cell, control=not cell.control)))
    return problems.get(str(cell)) or (twin if twin and twin[0] == Status.REJECTED else None)


def _on_gpu(document: dict[str, Any]) -> frozenset[str]:
    names = (document.get("environment") or {}).get("on_gpu") or []
    return frozenset(validation.text(name, "an implementation") for name in names)


def _origin(passes: list[Pass], document: dict[str, Any]) -> Origin:
    """Where results come from: the first pass and, if there is one, the run's file say it."""
    first = passes[0] if passes else None
    workload = first.workload if first else one_line(document.get("workload_version", ""))
    facts = {**(first.facts if first else {}), **run_facts(document)}
    return Origin("forwardbench", first.hardware if first else "", workload, facts)


def _stopped_on_results(document: dict[str, Any]) -> bool:
    """Whether the results so far decided when measuring stopped."""
    precise = document.get("request", {}).get("precision") is not None
    return precise or bool(document.get("extended"))


def _timer_step(environment: dict[str, Any]) -> float:
    step = environment.get("timer_step")
    return float("nan") if step is None else read_spent(step)


def _circumstances(passes: list[Pass], document: dict[str, Any]) -> Circumstances:
    """Summarize what else the machine did during the passes."""
    meanwhile = [each.meanwhile for each in passes if each.meanwhile]

    def average(name: str) -> float:
        if not meanwhile:
            return float("nan")
        weights = [each["seconds"] for each in meanwhile]
        return float(np.average([each[name] for each in meanwhile], weights=weights))

    busiest = max(meanwhile, key=lambda each: float(each["busiest_cpus"]), default={})
    names = sorted({name for each in passes for name in each.lost})
    lost = {
        name: float(np.mean([each.lost[name] for each in passes if name in each.lost]))
        for name in names
    }
    unenforced = [line for each in passes for line in each.unenforced]
    unenforced += _too_many_cpus(passes)
    return Circumstances(
        next((each.governor for each in passes), ""),
        _timer_step(document.get("environment") or {}),
        min((each.shortest_round for each in passes), default=float("nan")),
        average("others"),
        average("stolen"),
        busiest.get("busiest", ""),
        busiest.get("busiest_cpus", 0.0),
        _first_of(unenforced),
        lost,
    )
