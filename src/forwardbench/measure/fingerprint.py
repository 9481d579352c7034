"""The fingerprint of a run: what must not change between its passes, and what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from forwardbench import __version__, implementations, workloads
from forwardbench.errors import one_line
from forwardbench.implementations import requirements
from forwardbench.records import DEFAULT_WORKLOAD

_PACKAGE = Path(__file__).parents[1]
_MEASURING = (
    *("cases.py", "memory.py", "records.py", "processes/*.py", "statistics/*.py", "workloads/*.py"),
    *("implementations/*.py", "verification/*.py", "measure/*.py"),
)
"""The part of forwardbench that decides what is measured and what a time means."""


def fingerprint(
    contenders: Mapping[str, str], machine: Mapping[str, Any], workload: str = DEFAULT_WORKLOAD
) -> dict[str, str]:
    """Map the name of each thing to its state, both in the words of the error message.

    ``contenders`` maps each name to the reference that `load` takes; ``machine`` is the result
    of `describe_machine`.
    """
    loaded_workload = workloads.get(workload)
    return {
        "forwardbench": code_version(),
        "the workload's version": str(loaded_workload.version),
        "the workload's file": f"code {_digest([loaded_workload.path])}",
        **{
            f"the file of {name}": f"code {_digest([implementations.find(reference)])}"
            for name, reference in contenders.items()
        },
        "the CPU": str(machine["cpu"].get("brand_raw", "")),
        "the CPUs that may be used": ", ".join(map(str, machine["available_cpus"])),
        "the GPUs": ", ".join(machine["gpus"]) or "none",
        "the memory": f"{machine['memory_bytes'] / 2**30:.0f} GiB",
        "the system": f"{machine['system']} {machine['release']}",
        "Python": str(machine["python_version"]),
        "NumPy": metadata.version("numpy"),
        "pytest": metadata.version("pytest"),
        "pytest-benchmark": metadata.version("pytest-benchmark"),
        **{
            package: version
            for packages in frameworks(contenders).values()
            for package, version in packages.items()
        },
    }


def frameworks(contenders: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Map each contender that needs a framework to the versions of its packages."""
    extras = {name: implementations.describe(ref).requires for name, ref in contenders.items()}
    return {name: requirements.versions(extra) for name, extra in extras.items() if extra}


def on_gpu(contenders: Mapping[str, str]) -> list[str]:
    """Names of the contenders that compute on a GPU; the CPU's peaks do not apply to them."""
    needs = {name: implementations.describe(ref).needs for name, ref in contenders.items()}
    return [name for name, need in needs.items() if need == requirements.GPU]


def code_version() -> str:
    """Name this version of forwardbench, with a digest of the code that affects measurements."""
    paths = [path for pattern in _MEASURING for path in sorted(_PACKAGE.glob(pattern))]
    return f"{__version__}, code {_digest(paths)}"


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each thing that has changed."""
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name, "not there"), now.get(name, "not there")
        if old != new:
            yield f"{one_line(name)} was {one_line(old)} and is {new}"


def _digest(paths: list[Path]) -> str:
    """Ten digits that change with the files' contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
