"""One pass: a file in pytest-benchmark's own format, with entries of ours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from forwardbench.cases import CaseError
from forwardbench.errors import one_line
from forwardbench.files import making_sense_of, read_json
from forwardbench.records import Cell
from forwardbench.results import validation
from forwardbench.results.facts import hardware_of, machine_facts


@dataclass(frozen=True)
class Pass:
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


class _Timed(NamedTuple):
    """What a pass says of one cell."""

    cell: Cell
    seconds: float
    error: float
    rejected: str
    """Why its result was not right; empty if it was."""
    workload: str
    """The version of its inputs."""
    round_seconds: float
    unenforced: list[str]
    cpu_seconds: float
    """Spent by the CPU during its rounds; NaN where that was not recorded."""
    wall_seconds: float

    @property
    def cpus(self) -> float:
        """How many CPUs it kept busy."""
        return self.cpu_seconds / max(self.wall_seconds, validation.SHORTEST)


def read_pass(path: Path) -> Pass:
    """Read the file of one pass; raises `UserError`."""
    document = read_json(path)
    with making_sense_of(path):
        timed = [
            _read_benchmark(each["extra_info"], each["stats"])
            for each in document["benchmarks"]
            if "cell" in each["extra_info"]  # another project's benchmarks may stand beside ours
        ]
        failures = document.get("failures", {}).items()
        trouble = {str(cell): ("failed", one_line(reason)) for cell, reason in failures}
        machine = document.get("machine_info") or {}
        commit = _commit_name(document.get("commit_info") or {})
        known = [each for each in timed if each.cpu_seconds == each.cpu_seconds]
        return Pass(
            seconds={each.cell: each.seconds for each in timed},
            errors={each.cell: each.error for each in timed},
            trouble=trouble
            | {str(each.cell): ("rejected", each.rejected) for each in timed if each.rejected},
            machine=_machine_name(machine),
            hardware=one_line(hardware_of(machine)),
            facts=machine_facts(machine, commit),
            workload=timed[-1].workload if timed else "",
            commit=commit,
            governor=one_line(machine.get("governor") or ""),
            shortest_round=min((each.round_seconds for each in timed), default=math.inf),
            unenforced=[line for each in timed for line in each.unenforced],
            meanwhile=_read_meanwhile(document.get("meanwhile")),
            lost=_lost_shares(known),
            cpus={each.cell: each.cpus for each in known},
        )


def _read_benchmark(info: dict[str, Any], stats: dict[str, Any]) -> _Timed:
    """Read one entry: its `extra_info` and its `stats`."""
    cell = read_cell(info["cell"])
    seconds = validation.seconds(stats["median"])
    calls = stats.get("iterations", 1)
    calls = validation.number(calls, 1, validation.MOST_CALLS, "a number of calls")
    recorded = "timed_cpu_seconds" in info
    return _Timed(
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


def _lost_shares(timed: Sequence[_Timed]) -> dict[str, float]:
    """Share of its rounds' time that the CPU was not on an implementation's work, by its name."""
    spent: dict[str, tuple[float, float]] = {}
    for each in timed:
        if each.cell.threads == 1:  # of several, times add up
            cpu, wall = spent.get(each.cell.implementation, (0.0, 0.0))
            spent[each.cell.implementation] = cpu + each.cpu_seconds, wall + each.wall_seconds
    return {name: 1 - cpu / wall for name, (cpu, wall) in spent.items() if wall > 0}


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


def read_cell(values: Any) -> Cell:
    """Read a cell; raises what `making_sense_of` understands."""
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


def read_spent(value: Any) -> float:
    """Read a time that may be 0; raises what `making_sense_of` understands."""
    return validation.number(value, 0, validation.LONGEST, "a time in seconds")


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
