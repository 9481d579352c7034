"""Read what was measured: run folders and pytest-benchmark's JSON files.

Both become the same two data frames, one row per cell and pass and one row per cell,
from which `forwardbench.analysis` makes the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.errors import UserError, one_line
from forwardbench.files import making_sense_of, read_json
from forwardbench.intervals import LEVEL, LOOKED_LEVEL
from forwardbench.measure.cells import Cell
from forwardbench.measure.request import DEFAULT_BASELINE

CELL_KEY = ["implementation", "sweep", "case", "activation", "dtype", "threads"]
"""Columns that together name a cell. A control's implementation says that it is one."""


LEFT_OUT = ("skipped", "rejected", "failed", "unavailable")
"""What a cell that was planned out can be in `run.json`."""


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV; what is not known is empty."""
    try:
        table.to_csv(path, index=False)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


@dataclass(frozen=True)
class Results:
    """Everything that was measured or left out, before any statistics."""

    samples: pd.DataFrame
    """One row per cell and pass: `CELL_KEY`, pass, seconds (a call), error."""
    cells: pd.DataFrame
    """One row per cell: `CELL_KEY`, batch, widths, control_of, status, reason, and predicted,
    predicted_low and predicted_high in seconds for cells that were never called."""
    baseline: str
    machine: str
    commit: str
    ceilings: dict[tuple[str, int], tuple[float, float]]
    """GFLOP/s and bytes per second that the machine reached, by dtype and threads."""
    level: float
    """Level that intervals are computed at, so that they hold the true value in 95 %."""
    circumstances: Circumstances


@dataclass(frozen=True)
class Circumstances:
    """What may have disturbed a measurement; what is not known is empty or NaN."""

    governor: str
    timer_step: float
    """Smallest step of the timer in seconds."""
    shortest_round: float
    """Seconds of the shortest thing that was timed as one."""
    others: float
    """CPUs that other programs kept busy on average while the passes were made."""
    stolen: float
    """CPUs that the host of a virtual machine gave to somebody else, likewise."""
    busiest: str
    """Name of the process that was busiest in any pass, and how many CPUs it used there."""
    busiest_cpus: float
    unenforced: str
    """What could not be enforced of threads and CPUs."""
    lost: Mapping[str, float]
    """Share of the time of its rounds in which the CPU did something else, by implementation."""


def load(path: str | Path) -> Results:
    """Read a run folder or a pytest-benchmark JSON file; raises `UserError`."""
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    if path.exists():
        only = _read_pass(path)
        if not only.seconds:
            raise UserError(f"{path} holds no results of forwardbench's benchmarks")
        cells = {cell: _cell_row(cell) for cell in only.seconds}
        with making_sense_of(path):
            return _assemble([only], cells, DEFAULT_BASELINE, {}, {})
    raise UserError(f"there are no results at {path}: give a run's folder or a JSON file")


def _load_folder(folder: Path) -> Results:
    run = folder / "run.json"
    if not run.is_file():
        raise UserError(f"{folder} is not a run: it holds no run.json")
    document = read_json(run)
    with making_sense_of(run):
        baseline = one_line(document["request"]["baseline"])
        cells = {}
        for item in document.get("measured", []):
            cell = Cell.from_json(item["cell"])
            cells[cell] = _cell_row(cell)
        for item in document.get("skipped", []):
            cell = Cell.from_json(item["cell"])
            if item["status"] not in LEFT_OUT:
                raise ValueError(f"status {item['status']!r}")
            cells[cell] = _cell_row(cell, item["status"], item["reason"], item["estimate"])
        ceilings = {
            (str(each["dtype"]), int(each["threads"])): (
                _positive(each["gflops"]),
                _positive(each["bytes_per_second"]),
            )
            for each in document.get("ceilings", [])
        }
    if not cells:
        raise UserError(f"{folder} holds a run that measured nothing: run it again")
    passes = [_read_pass(path) for path in sorted(folder.glob("pass-*.json"))]
    with making_sense_of(run):
        return _assemble(passes, cells, baseline, ceilings, document)


@dataclass(frozen=True)
class _Pass:
    """One pass: seconds and error of each cell, and what the machine and the code were."""

    seconds: dict[Cell, float]
    errors: dict[Cell, float]
    trouble: dict[str, tuple[str, str]]
    """Status and reason of each cell, by its name, that was rejected or failed."""
    machine: str
    commit: str
    governor: str
    shortest_round: float
    unenforced: list[str]
    meanwhile: dict[str, Any]
    """What else happened; empty, or seconds (positive), others, stolen, busiest, busiest_cpus."""
    lost: dict[str, float]
    """Share of its rounds' time that the CPU was not on a cell's work, by implementation."""


def _read_pass(path: Path) -> _Pass:
    document = read_json(path)
    seconds, errors, trouble = {}, {}, {}
    shortest = float("inf")
    unenforced: list[str] = []
    spent: dict[str, tuple[float, float]] = {}
    with making_sense_of(path):
        for cell, reason in document.get("failures", {}).items():
            trouble[str(cell)] = ("failed", one_line(reason))
        for benchmark in document["benchmarks"]:
            info = benchmark["extra_info"]
            if "cell" not in info:
                continue  # another project's benchmark beside ours
            cell = Cell.from_json(info["cell"])
            seconds[cell] = _positive(benchmark["stats"]["median"])
            errors[cell] = float(info.get("error", "nan"))
            if "rejected" in info:
                trouble[str(cell)] = ("rejected", one_line(info["rejected"]))
            round_seconds = seconds[cell] * float(benchmark["stats"].get("iterations", 1))
            shortest = min(shortest, round_seconds)
            unenforced += _unenforced(cell, info.get("ran_on") or {})
            if cell.threads == 1 and "timed_cpu_seconds" in info:  # of several, times add up
                cpu, wall = spent.get(cell.implementation, (0.0, 0.0))
                cpu += float(info["timed_cpu_seconds"])
                spent[cell.implementation] = cpu, wall + float(info["timed_seconds"])
        machine = document.get("machine_info") or {}
        return _Pass(
            seconds,
            errors,
            trouble,
            _machine_name(machine),
            _commit_name(document.get("commit_info") or {}),
            one_line(machine.get("governor") or ""),
            shortest,
            unenforced,
            _read_meanwhile(document.get("meanwhile")),
            {name: 1 - cpu / wall for name, (cpu, wall) in spent.items() if wall > 0},
        )


def _read_meanwhile(values: dict[str, Any] | None) -> dict[str, Any]:
    if not values:
        return {}
    numbers = {name: float(values[name]) for name in ("others", "stolen", "busiest_cpus")}
    if not all(0 <= number < float("inf") for number in numbers.values()):
        raise ValueError(f"meanwhile: {numbers}")
    return {
        **numbers,
        "seconds": _positive(values["seconds"]),
        "busiest": one_line(values["busiest"]),
    }


def _unenforced(cell: Cell, ran_on: dict[str, Any]) -> Iterator[str]:
    """Say where a worker had other threads or CPUs than were asked for."""
    cpus, threads = ran_on.get("cpus"), [int(count) for count in ran_on.get("threads") or []]
    if cpus is not None and len(cpus) != cell.threads:
        yield (
            f"{cell.implementation} was asked to use {cell.threads} CPUs and could use {len(cpus)}"
        )
    if threads and max(threads) != cell.threads:
        yield (
            f"{cell.implementation} was asked to use {cell.threads} threads and was set to "
            f"{max(threads)}"
        )


def _positive(seconds: Any) -> float:
    if not 0 < float(seconds) < float("inf"):
        raise ValueError(f"a time of {seconds} s")
    return float(seconds)


def _machine_name(info: dict[str, Any]) -> str:
    """Name a machine by what decides its speed, as in `AMD EPYC, 2 CPUs, OpenBLAS 0.3.31`."""
    cpu = info.get("cpu") or {}
    brand = str(cpu.get("brand_raw") or info.get("processor") or "")
    count = f"{cpu['count']} CPUs" if cpu.get("count") else ""
    parts = (brand, count, str(info.get("virtual") or ""), str(info.get("blas") or ""))
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
    values = (cell.label, cell.sweep, str(case), case.activation, case.dtype, cell.threads)
    return dict(zip(CELL_KEY, values, strict=True))


def _cell_row(
    cell: Cell, status: str = "measured", reason: str = "", estimate: Sequence[Any] = ()
) -> dict[str, Any]:
    """One row of `Results.cells`."""
    predicted, low, high = (
        float("nan") if value is None else _positive(value)
        for value in (*estimate, None, None, None)[:3]
    )
    return {
        **_key(cell),
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
        {**_key(cell), "pass": number, "seconds": seconds, "error": each.errors[cell]}
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
        pd.DataFrame(samples, columns=[*CELL_KEY, "pass", "seconds", "error"]),
        pd.DataFrame(list(cells.values())),
        baseline,
        passes[0].machine if passes else "",
        passes[0].commit if passes else "",
        ceilings,
        LOOKED_LEVEL if _has_looked(document) else LEVEL,
        _circumstances(passes, document),
    )


def _has_looked(document: dict[str, Any]) -> bool:
    """Whether how long to measure was decided in view of results."""
    precise = document.get("request", {}).get("precision") is not None
    return precise or bool(document.get("extended"))


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
    unenforced = [what for each in passes for what in each.unenforced]
    return Circumstances(
        next((each.governor for each in passes), ""),
        float(document.get("environment", {}).get("timer_step", "nan")),
        min((each.shortest_round for each in passes), default=float("nan")),
        average("others"),
        average("stolen"),
        busiest.get("busiest", ""),
        busiest.get("busiest_cpus", 0.0),
        unenforced[0] if unenforced else "",
        lost,
    )
