"""Records what else the machine did during a measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psutil

_NOTED_CPUS = 0.02
"""A process that used less CPU than this is not named."""


@dataclass(frozen=True)
class _Moment:
    """Counters of the system, all in seconds since some past moment."""

    clock: float
    busy: float
    stolen: float
    own_cpu: float
    """CPU time of this process and of everything that it has started, ended or not."""
    processes: dict[tuple[int, str], float]
    """CPU time of every process that is not ours, by number and name."""


def _now() -> _Moment:
    times = psutil.cpu_times()._asdict()
    this = psutil.Process()
    ours = {process.pid: process for process in (this, *this.children(recursive=True))}
    processes = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        process_times = process.info["cpu_times"]
        if process_times is not None and process.pid not in ours:
            key = process.pid, str(process.info["name"])
            processes[key] = process_times.user + process_times.system
    return _Moment(
        time.monotonic(),
        sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq")),
        times.get("steal", 0.0),
        sum(map(_cpu_seconds, ours.values())),
        processes,
    )


def _cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and of its children that have ended."""
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has just ended itself
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


class Watch:
    """Records what else the machine does, from the moment it is created."""

    def __init__(self) -> None:
        self._load = psutil.getloadavg()[0]
        self._before = _now()

    def report(self) -> dict[str, Any]:
        """What happened since the start, as averages in CPUs.

        `load_before` is the system's one-minute load average, which includes our earlier passes.
        `others` is what other programs used. `stolen` is what the host of a virtual machine gave
        to other machines. `busiest` names the process that used `busiest_cpus`.
        """
        before, after = self._before, _now()
        seconds = max(after.clock - before.clock, 1e-9)
        used_cpus = [
            ((cpu - before.processes.get(process, cpu)) / seconds, process[1])
            for process, cpu in after.processes.items()
        ]
        most_cpus, busiest = max(used_cpus, default=(0.0, ""))
        noted = most_cpus > _NOTED_CPUS
        others = (after.busy - before.busy) - (after.own_cpu - before.own_cpu)
        return {
            "seconds": seconds,
            "load_before": self._load,
            "others": max(0.0, others / seconds),
            "stolen": (after.stolen - before.stolen) / seconds,
            "busiest": busiest if noted else "",
            "busiest_cpus": most_cpus if noted else 0.0,
        }
