"""Describes the machine that a run is made on, and what a worker process has loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from forwardbench import __version__
from forwardbench.implementations import requirements
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
    """Describe the machine with pytest-benchmark's entries and some more.

    The host's name is left out, since results get published. An entry that the system does not
    provide is empty or None.
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
    """Smallest difference in seconds between two readings of the timer."""
    from pytest_benchmark.timers import compute_timer_precision

    return float(compute_timer_precision(time.perf_counter))  # type: ignore[no-untyped-call]


def _caches() -> dict[str, str]:
    """Sizes of the first CPU's caches, as in ``{"L1 Data": "48K"}``; empty if not on Linux."""
    sizes = {}
    for cache in sorted(_SYSFS.glob("cpu0/cache/index*")):
        level, kind, size = (_read(cache / name) for name in ("level", "type", "size"))
        sizes[f"L{level} {kind}".removesuffix(" Unified")] = size
    return sizes


def _governor() -> str:
    """Name the frequency governor of the CPUs; empty if the system does not provide it."""
    paths = _SYSFS.glob("cpu[0-9]*/cpufreq/scaling_governor")
    return ", ".join(sorted({_read(path) for path in paths} - {""}))


def _virtual(flags: list[str]) -> str:
    """Say whether this is a container, a virtual machine, or both; empty if neither is visible."""
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


# --- what a worker has loaded -------------------------------------------------------------


def complete_machine_info(machine_info: dict[str, Any], loaded: Mapping[str, Any]) -> None:
    """Add BLAS, threads and versions; remove the host's name, since results get published.

    ``loaded`` is what the contenders' processes have loaded: ``threads`` and ``versions``.
    """
    machine_info.pop("node", None)
    machine_info["threads"] = loaded["threads"]
    machine_info["blas"] = blas_name(loaded["threads"]["pools"])
    versions = {package: metadata.version(package) for package in _PACKAGES}
    machine_info["versions"] = {"forwardbench": __version__, **versions, **loaded["versions"]}


def blas_name(pools: list[dict[str, Any]]) -> str:
    """Name the loaded BLAS, as in `OpenBLAS 0.3.31 Haswell`; empty if none is loaded."""
    spelling = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}
    for pool in pools:
        if pool["internal_api"] in spelling:
            # In NumPy's wheels OpenBLAS's version has four numbers; three of them are the release.
            release = ".".join(str(pool["version"]).split(".")[:3])
            parts = (spelling[pool["internal_api"]], release, pool["architecture"])
            return " ".join(part for part in parts if part and part != "None")
    return ""
