"""Waiting for what another process does, but not for ever."""

import time
from collections.abc import Callable

import psutil

PATIENCE = 300.0
"""Seconds after which something has failed, on the busiest machine."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Return as soon as a condition holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {seconds:g} s in vain"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked how."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
