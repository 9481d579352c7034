"""Keeps CPUs awake: a process that runs only while nothing else wants its CPU.

An idle CPU sleeps, and the longer it slept the slower it is at first: its clock rises in steps,
and a virtual machine has to get it back from its host. A program that computes all the time never
sees that. A contender that waits for its judge between calls would, and its times with it.

Run as a program, with the numbers of a CPU and of its parent: ``python awake.py CPU PARENT``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

_LOOPS = 100_000
"""So many loops, some milliseconds, pass between two looks for the parent."""


@contextlib.contextmanager
def kept_awake(cpus: Sequence[int]) -> Iterator[None]:
    """Keep CPUs awake meanwhile, where the system allows it without slowing anybody down."""
    started = [_start(cpu) for cpu in cpus] if hasattr(os, "SCHED_IDLE") else []
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(cpu: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(cpu), str(os.getpid())],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _stay_awake(cpu: int, parent: int) -> None:
    """Loop on one CPU, below everybody else, until the parent is gone."""
    os.sched_setaffinity(0, [cpu])
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while os.getppid() == parent:
        for _ in range(_LOOPS):
            pass


if __name__ == "__main__":
    _stay_awake(int(sys.argv[1]), int(sys.argv[2]))
