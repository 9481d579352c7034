"""The vertical axis of values: its ends, and ticks that are useful on a short axis too."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from forwardbench.units import format_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 8
"""Most ticks on one axis."""
_FEWEST = 3
"""Fewest ticks on one axis."""
_SHORTEST = 1.1
"""Smallest ratio of an axis' ends."""
_MANTISSAS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
_LONGEST = 9
"""Most characters of a number beside the axis."""


def set_value_axis(
    axes: Axes,
    values: tuple[float, float],
    number: Callable[[float], str],
    *,
    linear: bool = False,
    gutter: float = 0.0,
) -> None:
    """Scale the axis that all panels share from the smallest to the largest value.

    ``axes`` is any of the panels; ``gutter`` is the share of the axis that stays free at the top.
    ``number`` writes a value with its unit.
    """
    low, high = values
    if linear:
        ends = 0.0, high * 1.06 / (1 - gutter)
        ticks = [float(tick) for tick in MaxNLocator(6).tick_values(*ends)]
    else:
        axes.set_yscale("log")
        # Equal values are in the middle, and differences too small to matter look small.
        margin = max((high / low) ** 0.05, (_SHORTEST / (high / low)) ** 0.5)
        low, high = low / margin, high * margin
        ends = low, low * (high / low) ** (1 / (1 - gutter))
        ticks = logarithmic_ticks(*ends)
    axes.set_ylim(*ends)
    ticks = [tick for tick in ticks if ends[0] <= tick <= ends[1]]
    axes.set_yticks(ticks, [write_tick(tick, number) for tick in ticks])
    axes.minorticks_off()


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones: powers of ten, or more where these are too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in _MANTISSAS:
        ticks = [m * 10.0**power for power in powers for m in mantissas]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _FEWEST:
            # Keep every second or third power, counted from 1, so that 1x stays.
            step = -(-len(inside) // _MOST)
            return [tick for tick in inside if step == 1 or round(math.log10(tick)) % step == 0]
    return [float(tick) for tick in MaxNLocator(5).tick_values(low, high) if tick > 0]


def write_tick(value: float, number: Callable[[float], str]) -> str:
    """Write the number of a tick, with an exponent if it would be too long for the margin."""
    if value == 0:
        return "0"
    text = format_tick(value, number)
    if len(text) <= _LONGEST:
        return text
    digits, unit = re.fullmatch(r"([\d.,]+)(.*)", text).groups()  # type: ignore[union-attr]
    mantissa, power = f"{float(digits.replace(',', '')):.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}{unit}"
