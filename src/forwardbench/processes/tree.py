"""The processes that a process has started, and their CPU time."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import psutil

_PROC = "/proc"
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""On Windows every signal ends a process."""


def children_of(pid: int) -> list[int]:
    """Processes that a process has started itself and that still exist."""
    tasks = f"{_PROC}/{pid}/task"
    try:
        # Every thread has its own children. Reading these files is much faster than psutil, which
        # looks at every process of the machine. So is listing a folder without making paths.
        texts = [_read(f"{tasks}/{task}/children") for task in os.listdir(tasks)]  # noqa: PTH208
        return [int(child) for text in texts for child in text.split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def _read(path: str) -> bytes:
    """The whole of a small file of the system; without a buffer that takes longer to make."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(descriptor, 2**16), b""))
    finally:
        os.close(descriptor)


def tree_of(pid: int) -> list[int]:
    """A process and everything that it has started, directly or not."""
    tree = [pid]
    for member in tree:  # grows while it is read
        tree += [child for child in children_of(member) if child not in tree]
    return tree


def cpus_of(pid: int) -> set[int]:
    """The CPUs that the threads of a process may use; none where the system does not tell."""
    cpus: set[int] = set()
    with contextlib.suppress(OSError, AttributeError):
        for task in os.listdir(f"{_PROC}/{pid}/task"):  # noqa: PTH208
            cpus |= os.sched_getaffinity(int(task))
    return cpus


def end_tree(pid: int) -> int:
    """End a process and all that it has started; returns how many others there were."""
    if not children_of(pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, _KILL)
        return 0
    # What is found is stopped first, so that it cannot start others meanwhile.
    ended: set[int] = set()
    while found := [member for member in tree_of(pid) if member not in ended]:
        for member in found:
            _signal(member, psutil.Process.suspend)
        ended.update(found)
    for member in ended:
        _signal(member, psutil.Process.kill)
    return len(ended - {pid})


def _signal(pid: int, deed: Callable[[psutil.Process], None]) -> None:
    """Stop or end a process, if it is still there."""
    with contextlib.suppress(psutil.Error):
        deed(psutil.Process(pid))


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, in all its threads; 0 if it has ended."""
    try:
        # The clock of another process: see clock_getcpuclockid(3) and Linux's posix-timers.h.
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, AttributeError, OverflowError):
        pass
    try:
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    except psutil.Error:
        return 0.0
