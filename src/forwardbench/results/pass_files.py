"""Read the file of one pass: pytest-benchmark's format with additional entries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from forwardbench.errors import one_line
from forwardbench.files import read_json, reporting_bad_contents
from forwardbench.records import Cell
from forwardbench.results import validation
from forwardbench.results.facts import hardware_of, machine_facts


@dataclass(frozen=True)
class Pass:
    """One pass: seconds and error of each cell, with the machine and the commit."""

    seconds: dict[Cell, float]
    errors: dict[Cell, float]
    problems: dict[str, tuple[str, str]]
    """Status and reason of each cell that was rejected or failed, by the cell's name."""
    machine: str
    hardware: str
    facts: dict[str, str]
    workload: str
    commit: str
    governor: str
    shortest_round: float
    unenforced: list[str]
    meanwhile: dict[str, Any]
    """Seconds, others, stolen, busiest and busiest_cpus of the pass; empty if not recorded."""
    lost: dict[str, float]
    """Share of its rounds' time that other programs took from the CPU, by implementation."""
    cpus: dict[Cell, float]
    """CPUs that each cell kept busy during its rounds."""


class _Timing(NamedTuple):
    """The timing of one cell in a pass."""

    cell: Cell
    seconds: float
    error: float
    rejected: str
    """Why its result was wrong; empty if it was correct."""
    workload: str
    """The version of its inputs."""
    round_seconds: float
    unenforced: list[str]
    cpu_seconds: float
    """CPU time during its rounds; NaN where it was not recorded."""
    wall_seconds: float

    @property
    def cpus(self) -> float:
        """Number of CPUs that it kept busy."""
        return self.cpu_seconds / max(self.wall_seconds, validation.SHORTEST)


def read_pass(path: Path, known: dict[str, Cell] | None = None) -> Pass:
    """Read the file of one pass; raises `UserError`.

    ``known`` holds the cells of the passes before, as in `read_cell`.
    """
    document = read_json(path)
    known = {} if known is None else known
    with reporting_bad_contents(path):
        timings = [
            _read_benchmark(benchmark["extra_info"], benchmark["stats"], known)
            for benchmark in document["benchmarks"]
            if "cell" in benchmark["extra_info"]  # the file may hold another project's too
        ]
        failures = document.get("failures", {}).items()
        failed = {str(cell): ("failed", one_line(reason)) for cell, reason in failures}
        rejected = {
            str(timing.cell): ("rejected", timing.rejected) for timing in timings if timing.rejected
        } | {
            str(cell): ("rejected", one_line(reason))
            for cell, reason in document.get("rejected", {}).items()
        }
        machine = document.get("machine_info") or {}
        commit = _commit_name(document.get("commit_info") or {})
        with_cpu_time = [timing for timing in timings if not math.isnan(timing.cpu_seconds)]
        return Pass(
            seconds={timing.cell: timing.seconds for timing in timings},
            errors={timing.cell: timing.error for timing in timings},
            problems=failed | rejected,
            machine=_machine_name(machine),
            hardware=one_line(hardware_of(machine)),
            facts=machine_facts(machine, commit),
            workload=timings[-1].workload if timings else "",
            commit=commit,
            governor=one_line(machine.get("governor") or ""),
            shortest_round=min((timing.round_seconds for timing in timings), default=math.inf),
            unenforced=[line for timing in timings for line in timing.unenforced],
            meanwhile=_read_meanwhile(document.get("meanwhile")),
            lost=_lost_shares(with_cpu_time),
            cpus={timing.cell: timing.cpus for timing in with_cpu_time},
        )


def _read_benchmark(info: dict[str, Any], stats: dict[str, Any], known: dict[str, Cell]) -> _Timing:
    """Read one entry: its `extra_info` and its `stats`."""
    cell = read_cell(info["cell"], known)
    seconds = validation.seconds(stats["median"])
    calls = stats.get("iterations", 1)
    calls = validation.number(calls, 1, validation.MOST_CALLS, "a number of calls")
    recorded = "timed_cpu_seconds" in info
    return _Timing(
        cell,
        seconds,
        _error(info.get("error")),
        one_line(info["rejected"]) if "rejected" in info else "",
        one_line(info.get("workload_version", "")),
        seconds * calls,
        list(_unenforced(cell, info.get("ran_on") or {})),
        read_spent(info["timed_cpu_seconds"]) if recorded else math.nan,
        read_spent(info["timed_seconds"]) if recorded else math.nan,
    )


def _lost_shares(timings: Sequence[_Timing]) -> dict[str, float]:
    """Share of its rounds' time that other programs took from the CPU, by implementation."""
    totals: dict[str, tuple[float, float]] = {}
    for timing in timings:
        if timing.cell.threads == 1:  # the CPU times of several threads add up
            name = timing.cell.implementation
            cpu, wall = totals.get(name, (0.0, 0.0))
            totals[name] = cpu + timing.cpu_seconds, wall + timing.wall_seconds
    return {name: 1 - cpu / wall for name, (cpu, wall) in totals.items() if wall > 0}


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
    framework_threads = ran_on.get("framework")
    if framework_threads is not None and int(framework_threads) != cell.threads:
        yield (
            f"the framework of {cell.implementation} was asked to use {cell.threads} threads and "
            f"says that it uses {int(framework_threads)}"
        )


def read_cell(values: Any, known: dict[str, Cell]) -> Cell:
    """Read a cell; its errors are those that `reporting_bad_contents` turns into a `UserError`.

    ``known`` holds the cells that were read before, by their values as text, and gets this one:
    every pass has the same cells, and checking one takes longer than looking it up.
    """
    written = repr(values)
    if written in known:
        return known[written]
    cell = Cell.from_json(values)
    validation.whole(cell.threads, 1, validation.MOST_CPUS, "a number of threads")
    known[written] = cell
    return cell


def _error(value: Any) -> float:
    """The error of a result; NaN where it was not, or could not be, computed."""
    if value is None or value != value:
        return float("nan")
    return validation.number(value, 0, validation.LARGEST_ERROR, "an error")


def read_spent(value: Any) -> float:
    """Read a time that may be 0; raises `TypeError` or `ValueError`."""
    return validation.number(value, 0, validation.LONGEST, "a time in seconds")


def _machine_name(info: dict[str, Any]) -> str:
    """Name a machine by what its speed depends on, as in `AMD EPYC, 2 CPUs, OpenBLAS 0.3.31`."""
    parts = (hardware_of(info), str(info.get("virtual") or ""), str(info.get("blas") or ""))
    return one_line(", ".join(part for part in parts if part))


def _commit_name(info: dict[str, Any]) -> str:
    """Ten digits of a commit; pytest-benchmark writes `unversioned` where there is none."""
    name = str(info.get("id") or "")
    if name in ("", "unversioned"):
        return ""
    return one_line(name[:10]) + ("-dirty" if info.get("dirty") else "")
