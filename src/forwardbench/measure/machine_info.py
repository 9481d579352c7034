"""What a worker ran on, added to what pytest-benchmark says of the machine."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Any

from forwardbench import __version__
from forwardbench.implementations import requirements
from forwardbench.measure import threads

_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "pytest",
    "pytest-benchmark",
    "threadpoolctl",
)


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
