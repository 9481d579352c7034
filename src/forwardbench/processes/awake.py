"""Keeps CPUs awake: a process that runs only while nothing else wants its CPU.

An idle CPU sleeps, and the longer it slept the slower it is at first: its clock rises in steps,
and a virtual machine has to get it back from its host. A program that computes all the time never
sees that. A contender that waits for its judge between calls would, and its times with it.

Run as a program, with the numbers of a CPU and of its parent: ``python awake.py CPU PARENT``.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_PARENT_DEATH_SIGNAL = 1
"""Number of a ``prctl`` option, from Linux's ``linux/prctl.h``."""
_LOOPS = 100_000
"""So many loops, some milliseconds, pass between two looks for the parent."""
_AUTOGROUP = Path("/proc/self/autogroup")
"""Linux may share CPUs out among sessions first; this file has the niceness of one's own."""


class Keepers:
    """The processes that keep CPUs awake."""

    def __init__(self, cpus: Sequence[int]) -> None:
        self._started = [_start(cpu) for cpu in cpus] if hasattr(os, "SCHED_IDLE") else []
        self._are_ready = False

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop them meanwhile: even the lowest priority gets a CPU for moments."""
        self._wait_until_ready()
        try:
            self._send("SIGSTOP")
            yield
        finally:
            self._send("SIGCONT")

    def end(self) -> None:
        """End them."""
        for process in self._started:
            process.kill()
            process.communicate()

    def _wait_until_ready(self) -> None:
        """Wait until they end with this process, also if they are stopped then."""
        if not self._are_ready:
            for process in self._started:
                if process.stdout is not None:
                    process.stdout.readline()
        self._are_ready = True

    def _send(self, name: str) -> None:
        for process in self._started:
            process.send_signal(getattr(signal, name))


@contextlib.contextmanager
def kept_awake(cpus: Sequence[int]) -> Iterator[Keepers]:
    """Keep CPUs awake meanwhile, where the system allows it without slowing anybody down."""
    keepers = Keepers(cpus)
    try:
        yield keepers
    finally:
        keepers.end()


def _start(cpu: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(cpu), str(os.getpid())],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _stay_awake(cpu: int, parent: int) -> None:
    """Loop on one CPU, below everybody else, until the parent is gone."""
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    os.sched_setaffinity(0, [cpu])
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text("19")
    os.close(1)  # the parent, which waits for the end of it, knows that all is set up
    while os.getppid() == parent:
        for _ in range(_LOOPS):
            pass


if __name__ == "__main__":
    _stay_awake(int(sys.argv[1]), int(sys.argv[2]))
