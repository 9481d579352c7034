"""The loop in which calls are made and clocked, and the new numbers that rounds begin with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

Timer = Callable[[], float]

_GAUGE_CALLS = 200
"""So many calls take less than a tenth of a millisecond."""
_ONE = np.ones(1)
_PRODUCT = np.empty(1)
_multiply = np.multiply


def gauge(timer: Timer) -> float:
    """Seconds of a small piece of work that is always the same: how fast the CPU is now.

    Whatever shares a core with this CPU slows it down for some milliseconds or seconds, and takes
    no CPU time away from it. Calls of NumPy's with little to do suffer most.
    """
    start = timer()
    for _ in repeat(None, _GAUGE_CALLS):
        _multiply(_ONE, _ONE, out=_PRODUCT)
    return timer() - start


def timed_rounds(
    call: Callable[..., Any], inputs: Sequence[tuple[Any, ...]], count: int, timer: Timer
) -> tuple[list[list[float]], list[float], Any]:
    """Make rounds of ``count`` calls, one round with each of ``inputs``.

    Returns for each round the clock at its start, after its first call and at its end; the CPU
    seconds of this process in each; and the last result.
    """
    stamps, cpu, out = [], [], None
    for arguments in inputs:
        out = None  # the program around forward has dropped it, as in a plain loop
        cpu_start = time.process_time()
        start = timer()
        out = call(*arguments)
        first = timer()
        if count > 1:
            out = _repeat(call, arguments, count - 1)
            end = timer()
        else:
            end = first
        cpu.append(time.process_time() - cpu_start)
        stamps.append([start, first, end])
    return stamps, cpu, out


def _repeat(compute: Callable[..., Any], arguments: tuple[Any, ...], count: int) -> Any:
    """Call ``count`` times and return the last result; earlier ones are dropped at once.

    The usual numbers of arguments are written out. Unpacking the arguments in each call would
    add 5 % to a call of a microsecond. All calls are made in the same line: whoever looks up who
    is calling does not see which one is the last.
    """
    out = None
    match arguments:
        case (x, layers):
            for _ in repeat(None, count):
                out = None
                out = compute(x, layers)
        case (x, second, layers):
            for _ in repeat(None, count):
                out = None
                out = compute(x, second, layers)
        case _:
            for _ in repeat(None, count):
                out = None
                out = compute(*arguments)
    return out


def renew(given: Array, shift: int, scale: float, out: Array) -> None:
    """Write other numbers of the same kind into an array, the same on every machine.

    The numbers of ``given`` are moved by ``shift`` places and multiplied by ``scale``; every one
    changes.
    """
    flat = given.reshape(-1)
    shift %= flat.size
    factor = given.dtype.type(scale)
    target = out.reshape(-1)
    with np.errstate(all="ignore"):  # a file may have made underflow an error
        np.multiply(flat[shift:], factor, out=target[: flat.size - shift])
        np.multiply(flat[:shift], factor, out=target[flat.size - shift :])
