"""Where a run is made: the machine, and what else it did while something was measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from forwardbench.implementations import requirements
from forwardbench.processes import available_cpus

_SYSFS = Path("/sys/devices/system/cpu")
_NOTED_CPUS = 0.02
"""A process that kept less of a CPU busy is not worth naming."""


def describe_machine() -> dict[str, Any]:
    """Describe the machine in pytest-benchmark's words and some of our own.

    The host's name is left out, since results get published. What the system does not say is
    empty or None.
    """
    from pytest_benchmark.plugin import pytest_benchmark_generate_machine_info

    machine: dict[str, Any] = pytest_benchmark_generate_machine_info()  # type: ignore[no-untyped-call]
    machine.pop("node", None)
    flags = machine["cpu"].pop("flags", [])
    return {
        **machine,
        "caches": _caches(),
        "cores": psutil.cpu_count(logical=False),
        "available_cpus": available_cpus(),
        "gpus": requirements.gpus(),
        "memory_bytes": psutil.virtual_memory().total,
        "governor": _governor(),
        "virtual": _virtual(flags),
    }


def timer_step() -> float:
    """Smallest step in seconds between two readings of the timer that measures."""
    from pytest_benchmark.timers import compute_timer_precision

    return float(compute_timer_precision(time.perf_counter))  # type: ignore[no-untyped-call]


def _caches() -> dict[str, str]:
    """Sizes of the first CPU's caches, as in ``{"L1 Data": "48K"}``; empty off Linux."""
    found = {}
    for cache in sorted(_SYSFS.glob("cpu0/cache/index*")):
        level, kind, size = (_read(cache / name) for name in ("level", "type", "size"))
        found[f"L{level} {kind}".removesuffix(" Unified")] = size
    return found


def _governor() -> str:
    """Name the frequency governor of the CPUs; empty where the system does not say."""
    paths = _SYSFS.glob("cpu[0-9]*/cpufreq/scaling_governor")
    return ", ".join(sorted({_read(path) for path in paths} - {""}))


def _virtual(flags: list[str]) -> str:
    """Say whether this is a container, a virtual machine, or one in the other, where visible."""
    container = (
        Path("/.dockerenv").exists()
        or Path("/run/.containerenv").exists()
        or "container" in os.environ
    )
    machine = "hypervisor" in flags or Path("/sys/hypervisor/type").exists()
    kinds = ["container"] * container + ["virtual machine"] * machine
    return " in a ".join(kinds)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


# --- what else happened ----------------------------------------------------------------


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
        spent = {
            name: (cpu - before.processes.get((pid, name), cpu)) / seconds
            for (pid, name), cpu in after.processes.items()
        }
        busiest = max(spent, key=lambda name: spent[name], default="")
        noted = bool(busiest) and spent[busiest] > _NOTED_CPUS
        others = (after.busy - before.busy) - (after.own - before.own)
        return {
            "seconds": seconds,
            "load_before": self._load,
            "others": max(0.0, others / seconds),
            "stolen": (after.stolen - before.stolen) / seconds,
            "busiest": busiest if noted else "",
            "busiest_cpus": spent[busiest] if noted else 0.0,
        }
