"""How the processes of contenders are started: what each has loaded, and which can share that."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forwardbench import implementations, processes, workloads
from forwardbench.implementations import Implementation, requirements
from forwardbench.memory import copy_at_line
from forwardbench.processes.channel import Message
from forwardbench.processes.nursery import Nursery, Upbringing
from forwardbench.verification.contender import TIME_LIMIT, Contender, ContenderFailedError
from forwardbench.verification.contender_process import Service
from forwardbench.verification.rounds import Timer

COMPILED_CODE = {
    name: os.environ.get(name, str(Path(tempfile.gettempdir()) / "forwardbench-torchinductor"))
    for name in ("TORCHINDUCTOR_CACHE_DIR",)
}
"""Environment variables with folders for compiled code, which outlives a process.

The temporary folder of a contender's process is its own. In it, every process would have to compile
everything anew.
"""


def in_this_process(
    implementation: Implementation,
    timer: Timer = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Contender:
    """An implementation that is loaded here already, for tests and asv."""
    service = Service(implementation.workload.name, implementation, timer, sleep)
    contender = Contender(implementation.name, implementation.workload, _Here(service))
    return contender.load().settle()


class _Here:
    """Carries commands to a service in this process, which answers each at once."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._answers: deque[Message] = deque()

    def post(self, values: dict[str, Any], arrays: Sequence[Any] = ()) -> None:
        answered, results = self._service.answer(values, list(map(copy_at_line, arrays)))
        self._answers.append(Message(answered, [np.array(array) for array in results]))

    def collect(self, seconds: float) -> Message:
        return self._answers.popleft()


def raised_by(
    reference: str,
    workload: str,
    threads: int,
    cpus: Sequence[int],
    *,
    alone: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Nursery:
    """Start the nursery of an implementation: all that need the same framework can share it.

    With ``alone`` nothing is loaded beforehand, and each child is a new process.
    """
    description = implementations.describe(reference)
    files = [reference]
    if implementations.is_builtin(description.path):
        # All that need nothing but NumPy, whatever a run is about: its cells must not matter.
        files = [] if description.requires else names_without_framework(workload)
    task = {
        "workload": workload,
        "extra": "" if alone else description.requires,
        "files": [] if alone else files,
    }
    return Nursery(
        Upbringing(
            "forwardbench.verification.contender_process",
            task,
            {**COMPILED_CODE, **processes.thread_environment(threads), **(environment or {})},
            tuple(cpus),
            # A GPU's driver does not survive a fork.
            forks=not alone and description.needs != requirements.GPU,
        )
    )


@cache
def names_without_framework(workload: str) -> list[str]:
    """Names of the suite's own implementations of a workload that need nothing but NumPy."""
    names = implementations.names_for(workloads.get(workload))
    return [name for name in names if not implementations.describe(name).requires]


@cache
def compiles(reference: str) -> bool:
    """Whether a file says that it compiles. Cached, since the file may be deleted later."""
    return implementations.describe(reference).compiles


@cache
def nursery_key(reference: str) -> str:
    """Implementations with the same key can share a nursery: those that need the same framework.

    A user's file gets its own, since its imports are not known. Cached, since the file may be
    deleted later.
    """
    description = implementations.describe(reference)
    return description.requires if implementations.is_builtin(description.path) else reference


def contender_from(
    nursery: Nursery, reference: str, workload: str, time_limit: float = TIME_LIMIT
) -> Contender:
    """Get a fresh process for an implementation, and have it loaded there; see `settle`.

    Raises `ContenderFailedError`.
    """
    name = Path(reference).stem
    try:
        child = nursery.child()
    except processes.ChildError as error:
        raise ContenderFailedError(str(error)) from None
    contender = Contender(name, workloads.get(workload), child, child, time_limit)
    contender.compiles = compiles(reference)
    try:
        return contender.load(reference)
    except BaseException:
        contender.end()
        raise
