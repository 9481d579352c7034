"""Waiting for what another process does, but not for ever."""

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something has failed, on the busiest machine."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Return as soon as a condition holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {seconds:g} s in vain"
        time.sleep(0.02)
