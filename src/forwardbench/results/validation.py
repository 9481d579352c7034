"""Check that numbers from files are possible values, so that later code need not check them.

The bounds are far outside everything that is measured. Inside them no ratio, power or axis
overflows.
"""

from __future__ import annotations

from typing import Any

SHORTEST, LONGEST = 1e-12, 1e9
"""Seconds of a call that was timed."""
LONGEST_PREDICTED = 1e30
"""Seconds of a call that was never made."""
MOST_CPUS = 2**16
MOST_CALLS = 1e12
MOST_CELLS = 100_000
HIGHEST_RATE = 1e30
"""GFLOP/s, and bytes per second."""
LARGEST_ERROR = 1e300


def number(value: Any, low: float, high: float, what: str) -> float:
    """Return a number between two bounds; raises `TypeError` or `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} that is a {type(value).__name__}")
    if not low <= value <= high:  # also true of NaN
        raise ValueError(f"{what} of {value}")
    return float(value)


def seconds(value: Any, longest: float = LONGEST) -> float:
    """Return a time; raises `TypeError` or `ValueError`."""
    return number(value, SHORTEST, longest, "a time in seconds")


def whole(value: Any, low: int, high: int, what: str) -> int:
    """Return an integer between two bounds; raises `TypeError` or `ValueError`."""
    if type(value) is not int:
        raise TypeError(f"{what} that is a {type(value).__name__}")
    return int(number(value, low, high, what))


def text(value: Any, what: str) -> str:
    """Return a text; raises `TypeError`."""
    if not isinstance(value, str):
        raise TypeError(f"{what} that is a {type(value).__name__}")
    return value
