"""Where a run is made: the machine, what it runs on, and what a worker found there."""

from __future__ import annotations

import os
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from forwardbench import __version__
from forwardbench.implementations import requirements
from forwardbench.measure import threads
from forwardbench.processes import available_cpus

_SYSFS = Path("/sys/devices/system/cpu")


_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "pytest",
    "pytest-benchmark",
    "threadpoolctl",
)


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


# --- what a worker found ------------------------------------------------------------------


def complete_machine_info(machine_info: dict[str, Any]) -> None:
    """Add BLAS, threads and versions, and leave the host's name out: results get published."""
    machine_info.pop("node", None)
    machine_info["threads"] = threads.read_back()
    machine_info["blas"] = blas_name(machine_info["threads"]["pools"])
    versions = {package: metadata.version(package) for package in _PACKAGES}
    machine_info["versions"] = {"forwardbench": __version__, **versions, **_loaded_frameworks()}


def _loaded_frameworks() -> dict[str, str]:
    """Version of each package of a framework that this process has imported."""
    return {
        package: version
        for extra, modules in requirements.EXTRAS.items()
        if modules[0] in sys.modules
        for package, version in requirements.versions(extra).items()
    }


def blas_name(pools: list[dict[str, Any]]) -> str:
    """Name the BLAS that is loaded, as in `OpenBLAS 0.3.31 Haswell`; empty if none is."""
    spelling = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}
    for pool in pools:
        if pool["internal_api"] in spelling:
            # OpenBLAS of NumPy's wheels has four numbers; the first three are its release.
            release = ".".join(str(pool["version"]).split(".")[:3])
            parts = (spelling[pool["internal_api"]], release, pool["architecture"])
            return " ".join(part for part in parts if part and part != "None")
    return ""
