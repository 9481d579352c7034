"""Describe machine, software and request in words."""

from __future__ import annotations

from typing import Any

from forwardbench.errors import one_line
from forwardbench.implementations.requirements import PACKAGES


def hardware_of(info: dict[str, Any]) -> str:
    """CPU model and number of CPUs, as in `AMD EPYC, 2 CPUs`; empty where neither is known."""
    cpu = info.get("cpu") or {}
    brand = str(cpu.get("brand_raw") or info.get("processor") or "")
    count = f"{cpu['count']} CPUs" if cpu.get("count") else ""
    return ", ".join(part for part in (brand, count) if part)


def machine_facts(info: dict[str, Any], commit: str) -> dict[str, str]:
    """Facts from pytest-benchmark's ``machine_info``, by subject."""
    memory, versions = info.get("memory_bytes"), (info.get("versions") or {}).items()
    system = " ".join(str(info.get(name) or "") for name in ("system", "release"))
    return _without_empty(
        {
            "CPU": hardware_of(info),
            "caches": _pairs(info.get("caches")),
            "memory": f"{int(memory) / 2**30:.0f} GiB" if memory else "",
            "GPU": ", ".join(info.get("gpus") or []),
            "virtual": info.get("virtual"),
            "frequency governor": info.get("governor"),
            "system": system.strip(),
            "Python": info.get("python_version"),
            "BLAS": info.get("blas"),
            "packages": _pairs({name: text for name, text in versions if name not in PACKAGES}),
            "frameworks": _pairs({name: text for name, text in versions if name in PACKAGES}),
            "commit": commit,
        }
    )


def run_facts(document: dict[str, Any]) -> dict[str, str]:
    """Facts from a run's `run.json`, by subject."""
    return _without_empty(
        {
            "started": str(document.get("started") or "").replace("T", " "),
            "finished": str(document.get("finished") or "").replace("T", " "),
            **_request_facts(document.get("request") or {}),
        }
    )


def _without_empty(facts: dict[str, Any]) -> dict[str, str]:
    return {name: one_line(value) for name, value in facts.items() if value}


def _pairs(values: dict[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (values or {}).items())


def _request_facts(request: dict[str, Any]) -> dict[str, str]:
    """The parts of a request that one must know to read the results."""
    limit, seed = request.get("limit"), request.get("seed")
    return {
        "longest call worth measuring": f"{float(limit):g} s" if limit is not None else "",
        "seed of the order": "" if seed is None else str(seed),
    }
