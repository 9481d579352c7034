"""What else the machine did while something was measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import psutil

_NOTED_CPUS = 0.02
"""A process that kept less of a CPU busy is not worth naming."""


@dataclass(frozen=True)
class _Moment:
    """Counters of the system, all in seconds since some past moment."""

    clock: float
    busy: float
    stolen: float
    own: float
    """CPU time of this process and of its children that have ended."""
    processes: dict[tuple[int, str], float]
    """CPU time of each other process by number and name."""


def _now() -> _Moment:
    times = psutil.cpu_times()._asdict()
    own = psutil.Process().cpu_times()
    processes = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        spent = process.info["cpu_times"]
        if spent is not None and process.pid != os.getpid():
            processes[process.pid, str(process.info["name"])] = spent.user + spent.system
    return _Moment(
        time.monotonic(),
        sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq")),
        times.get("steal", 0.0),
        own.user + own.system + own.children_user + own.children_system,
        processes,
    )


class Watch:
    """Watches what the machine does besides; starts when it is made."""

    def __init__(self) -> None:
        self._load = psutil.getloadavg()[0]
        self._before = _now()

    def report(self) -> dict[str, Any]:
        """What happened since the start, as averages in CPUs.

        `load_before` is the system's own one-minute average, which includes our earlier
        passes; `others` is what other programs kept busy; `stolen` what the host of a virtual
        machine gave to somebody else; `busiest` names the process that used `busiest_cpus`.
        """
        before, after = self._before, _now()
        seconds = max(after.clock - before.clock, 1e-9)
        spent = [
            ((cpu - before.processes.get(process, cpu)) / seconds, process[1])
            for process, cpu in after.processes.items()
        ]
        most, busiest = max(spent, default=(0.0, ""))
        noted = most > _NOTED_CPUS
        others = (after.busy - before.busy) - (after.own - before.own)
        return {
            "seconds": seconds,
            "load_before": self._load,
            "others": max(0.0, others / seconds),
            "stolen": (after.stolen - before.stolen) / seconds,
            "busiest": busiest if noted else "",
            "busiest_cpus": most if noted else 0.0,
        }
