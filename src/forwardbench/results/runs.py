"""Run folders and pytest-benchmark's JSON files as `Results`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.cases import CaseError
from forwardbench.errors import UserError, one_line
from forwardbench.files import making_sense_of, read_json
from forwardbench.records import DEFAULT_BASELINE, LEFT_OUT, Cell, FirstCalls
from forwardbench.records import FIRST_CALLS_FILE as FIRST_CALLS
from forwardbench.results import validation
from forwardbench.results.facts import hardware_of, machine_facts, run_facts
from forwardbench.results.model import (
    CELL_KEY,
    FIRST_CALL_COLUMNS,
    HOST,
    SAMPLE_COLUMNS,
    Circumstances,
    Origin,
    Results,
)
from forwardbench.statistics.intervals import LEVEL, LOOKED_LEVEL

BUSIER = 1.25
"""Of the CPUs asked for, what a cell may keep busy before it had more: the CPU time of what makes
its rounds is counted too, a few percent as a rule."""


def load_file(path: Path) -> Results:
    """Read one pytest-benchmark JSON file as a run of one pass; raises `UserError`."""
    only = _read_pass(path)
    if not only.seconds:
        raise UserError(f"{path} holds no results of forwardbench's benchmarks")
    cells = {cell: _cell_row(cell) for cell in only.seconds}
    with making_sense_of(path):
        return _assemble([only], cells, DEFAULT_BASELINE, {}, {})


def load_folder(folder: Path) -> Results:
    """Read a run's folder; raises `UserError`."""
    run = folder / "run.json"
    if not run.is_file():
        raise UserError(f"{folder} is not a run: it holds no run.json")
    document = read_json(run)
    with making_sense_of(run):
        baseline = one_line(validation.text(document["request"]["baseline"], "a baseline"))
        cells = {}
        for item in document.get("measured", []):
            cell = _read_cell(item["cell"])
            cells[cell] = _cell_row(cell)
        for item in document.get("skipped", []):
            cell = _read_cell(item["cell"])
            if item["status"] not in LEFT_OUT:
                raise ValueError(f"status {item['status']!r}")
            cells[cell] = _cell_row(cell, item["status"], item["reason"], item["estimate"])
        ceilings = {
            (str(each["dtype"]), int(each["threads"])): (
                _rate(each["gflops"]),
                _rate(each["bytes_per_second"]),
            )
            for each in document.get("ceilings", [])
        }
    if not cells:
        raise UserError(f"{folder} holds a run that measured nothing: run it again")
    passes = [_read_pass(path) for path in sorted(folder.glob("pass-*.json"))]
    with making_sense_of(run):
        measured = _assemble(passes, cells, baseline, ceilings, document)
    return replace(measured, first_calls=_read_first_calls(folder))


@dataclass(frozen=True)
class _Pass:
    """One pass: seconds and error of each cell, and what the machine and the code were."""

    seconds: dict[Cell, float]
    errors: dict[Cell, float]
    trouble: dict[str, tuple[str, str]]
    """Status and reason of each cell, by its name, that was rejected or failed."""
    machine: str
    hardware: str
    facts: dict[str, str]
    workload: str
    commit: str
    governor: str
    shortest_round: float
    unenforced: list[str]
    meanwhile: dict[str, Any]
    """What else happened; empty, or seconds (positive), others, stolen, busiest, busiest_cpus."""
    lost: dict[str, float]
    """Share of its rounds' time that the CPU was not on a cell's work, by implementation."""
    cpus: dict[Cell, float]
    """CPUs that each cell kept busy during its rounds."""


def _read_pass(path: Path) -> _Pass:
    document = read_json(path)
    seconds, errors, trouble = {}, {}, {}
    shortest, workload = float("inf"), ""
    unenforced: list[str] = []
    spent: dict[str, tuple[float, float]] = {}
    cpus: dict[Cell, float] = {}
    with making_sense_of(path):
        for cell, reason in document.get("failures", {}).items():
            trouble[str(cell)] = ("failed", one_line(reason))
        for benchmark in document["benchmarks"]:
            info = benchmark["extra_info"]
            if "cell" not in info:
                continue  # another project's benchmark beside ours
            cell = _read_cell(info["cell"])
            workload = one_line(info.get("workload_version", ""))
            seconds[cell] = validation.seconds(benchmark["stats"]["median"])
            errors[cell] = _error(info.get("error"))
            if "rejected" in info:
                trouble[str(cell)] = ("rejected", one_line(info["rejected"]))
            calls = benchmark["stats"].get("iterations", 1)
            calls = validation.number(calls, 1, validation.MOST_CALLS, "a number of calls")
            shortest = min(shortest, seconds[cell] * calls)
            unenforced += _unenforced(cell, info.get("ran_on") or {})
            if "timed_cpu_seconds" in info:
                own = _spent(info["timed_cpu_seconds"]), _spent(info["timed_seconds"])
                cpus[cell] = own[0] / max(own[1], validation.SHORTEST)
                if cell.threads == 1:  # of several, times add up
                    cpu, wall = spent.get(cell.implementation, (0.0, 0.0))
                    spent[cell.implementation] = cpu + own[0], wall + own[1]
        machine = document.get("machine_info") or {}
        commit = _commit_name(document.get("commit_info") or {})
        return _Pass(
            seconds,
            errors,
            trouble,
            _machine_name(machine),
            one_line(hardware_of(machine)),
            machine_facts(machine, commit),
            workload,
            commit,
            one_line(machine.get("governor") or ""),
            shortest,
            unenforced,
            _read_meanwhile(document.get("meanwhile")),
            {name: 1 - cpu / wall for name, (cpu, wall) in spent.items() if wall > 0},
            cpus,
        )


def _read_first_calls(folder: Path) -> pd.DataFrame:
    """One row for each first call that was timed, and for each cell whose first call failed."""
    made = FirstCalls.read(folder)
    with making_sense_of(folder / FIRST_CALLS):
        rows = [
            {
                **_key(cell),
                "import_seconds": validation.number(
                    call.import_seconds, 0, validation.LONGEST, "a time"
                ),
                "seconds": validation.seconds(call.seconds),
                "reason": "",
            }
            for cell, calls in made.samples.items()
            for call in calls
        ]
        rows += [{**_key(cell), "reason": reason} for cell, reason in made.failures.items()]
    return pd.DataFrame(rows, columns=FIRST_CALL_COLUMNS)


def _read_meanwhile(values: dict[str, Any] | None) -> dict[str, Any]:
    if not values:
        return {}
    numbers = {
        name: validation.number(values[name], 0, validation.MOST_CPUS, "a number of CPUs")
        for name in ("others", "stolen", "busiest_cpus")
    }
    return {
        **numbers,
        "seconds": validation.seconds(values["seconds"]),
        "busiest": one_line(values["busiest"]),
    }


def _unenforced(cell: Cell, ran_on: dict[str, Any]) -> Iterator[str]:
    """Say where a worker had other threads or CPUs than were asked for."""
    cpus, threads = ran_on.get("cpus"), [int(count) for count in ran_on.get("threads") or []]
    if cpus is not None and len(cpus) != cell.threads:
        yield (
            f"{cell.implementation} was asked to use {cell.threads} CPUs and could use {len(cpus)}"
        )
    if set(threads) - {cell.threads}:
        yield (
            f"{cell.implementation} was asked to use {cell.threads} threads and was set to "
            f"{' and '.join(map(str, sorted(set(threads))))}"
        )
    own = ran_on.get("framework")
    if own is not None and int(own) != cell.threads:
        yield (
            f"the framework of {cell.implementation} was asked to use {cell.threads} threads and "
            f"says that it uses {int(own)}"
        )


def _first_of(texts: Sequence[str]) -> str:
    """The first of several texts, and how many others there are."""
    first, *others = [*dict.fromkeys(texts)] or [""]
    return f"{first} (and {len(others)} more of the kind)" if others else first


def _busier(passes: Sequence[_Pass]) -> Iterator[str]:
    """Say which cells, in most of their passes, kept more CPUs busy than were asked for.

    What no framework says shows here: how many of its threads had work. One pass may have met an
    accident, and says nothing.
    """
    for cell in dict.fromkeys(cell for each in passes for cell in each.cpus):
        found = [each.cpus[cell] for each in passes if cell in each.cpus]
        cpus = median_low(found)
        if len(found) > 1 and cpus > BUSIER * cell.threads:
            yield (
                f"{cell.implementation} was asked to use {cell.threads} CPUs and kept {cpus:.2g} "
                f"busy at {cell.case}"
            )


def _read_cell(values: Any) -> Cell:
    try:
        cell = Cell.from_json(values)
    except CaseError as error:  # it is the file that is wrong, not what somebody typed
        raise ValueError(str(error)) from None
    validation.whole(cell.threads, 1, validation.MOST_CPUS, "a number of threads")
    return cell


def _error(value: Any) -> float:
    """The error of a result; NaN where it was not, or could not be, computed."""
    if value is None or value != value:
        return float("nan")
    return validation.number(value, 0, validation.LARGEST_ERROR, "an error")


def _rate(value: Any) -> float:
    return validation.number(value, 1 / validation.HIGHEST_RATE, validation.HIGHEST_RATE, "a rate")


def _spent(value: Any) -> float:
    return validation.number(value, 0, validation.LONGEST, "a time in seconds")


def _prediction(estimate: Sequence[Any]) -> tuple[float, float, float]:
    """Predicted seconds, low and high; NaN where one is unknown or too large to say anything."""
    none = float("nan")
    centre, low, high = (none if value is None else value for value in (*estimate, *[None] * 3)[:3])
    if centre != centre:
        return none, none, none
    centre = validation.seconds(centre, validation.LONGEST_PREDICTED)
    if not (low >= validation.SHORTEST and high <= validation.LONGEST_PREDICTED):
        return centre, none, none
    if not low <= centre <= high:
        raise ValueError(f"an estimate of {centre} from {low} to {high}")
    return centre, float(low), float(high)


def _machine_name(info: dict[str, Any]) -> str:
    """Name a machine by what decides its speed, as in `AMD EPYC, 2 CPUs, OpenBLAS 0.3.31`."""
    parts = (hardware_of(info), str(info.get("virtual") or ""), str(info.get("blas") or ""))
    return one_line(", ".join(part for part in parts if part))


def _commit_name(info: dict[str, Any]) -> str:
    """Ten digits of a commit; pytest-benchmark writes `unversioned` where there is none."""
    name = str(info.get("id") or "")
    if name in ("", "unversioned"):
        return ""
    return one_line(name[:10]) + ("-dirty" if info.get("dirty") else "")


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
    passes: list[_Pass],
    cells: dict[Cell, dict[str, Any]],
    baseline: str,
    ceilings: dict[tuple[str, int], tuple[float, float]],
    document: dict[str, Any],
) -> Results:
    """Bring the passes together, and say of each cell what became of it."""
    samples = [
        {**_key(cell), HOST: "", "pass": number, "seconds": seconds, "error": each.errors[cell]}
        for number, each in enumerate(passes, 1)
        for cell, seconds in each.seconds.items()
    ]
    trouble = {name: what for each in passes for name, what in each.trouble.items()}
    for cell, row in cells.items():
        if str(cell) in trouble:
            row["status"], row["reason"] = trouble[str(cell)]
        elif row["status"] == "measured" and not any(cell in each.seconds for each in passes):
            row["status"], row["reason"] = "skipped", "the run ended before it was measured"
    return Results(
        pd.DataFrame(samples, columns=SAMPLE_COLUMNS),
        pd.DataFrame(list(cells.values())),
        baseline,
        passes[0].machine if passes else "",
        passes[0].commit if passes else "",
        ceilings,
        LOOKED_LEVEL if _has_looked(document) else LEVEL,
        _circumstances(passes, document),
        _origin(passes, document),
        on_gpu=_on_gpu(document),
    )


def _on_gpu(document: dict[str, Any]) -> frozenset[str]:
    names = (document.get("environment") or {}).get("on_gpu") or []
    return frozenset(validation.text(name, "an implementation") for name in names)


def _origin(passes: list[_Pass], document: dict[str, Any]) -> Origin:
    """What the first pass, and the run's own file if there is one, say of where this is from."""
    first = passes[0] if passes else None
    workload = first.workload if first else one_line(document.get("workload_version", ""))
    facts = {**(first.facts if first else {}), **run_facts(document)}
    return Origin("forwardbench", first.hardware if first else "", workload, facts)


def _has_looked(document: dict[str, Any]) -> bool:
    """Whether how long to measure was decided in view of results."""
    precise = document.get("request", {}).get("precision") is not None
    return precise or bool(document.get("extended"))


def _timer_step(environment: dict[str, Any]) -> float:
    step = environment.get("timer_step")
    return float("nan") if step is None else _spent(step)


def _circumstances(passes: list[_Pass], document: dict[str, Any]) -> Circumstances:
    """Gather what the passes say of what else happened."""
    meanwhile = [each.meanwhile for each in passes if each.meanwhile]

    def average(what: str) -> float:
        if not meanwhile:
            return float("nan")
        weights = [each["seconds"] for each in meanwhile]
        return float(np.average([each[what] for each in meanwhile], weights=weights))

    busiest = max(meanwhile, key=lambda each: float(each["busiest_cpus"]), default={})
    names = sorted({name for each in passes for name in each.lost})
    lost = {
        name: float(np.mean([each.lost[name] for each in passes if name in each.lost]))
        for name in names
    }
    unenforced = [what for each in passes for what in each.unenforced] + list(_busier(passes))
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
