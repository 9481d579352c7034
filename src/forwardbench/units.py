"""Numbers as people read them: three significant digits and a unit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def format_seconds(seconds: float) -> str:
    """Write a time, as in `471 ms`; empty when it is not known."""
    if not math.isfinite(seconds):
        return ""
    # 999.5 us and more are shown as 1 ms, not as 1000 us.
    scale, unit = next((pair for pair in _SECONDS if seconds >= 0.9995 * pair[0]), _SECONDS[-1])
    return f"{_three_digits(seconds / scale)} {unit}"


def format_tick(number: float, write: Callable[[float], str]) -> str:
    """Write the number at a tick of an axis, without trailing zeros."""
    value, letters = re.fullmatch(r"([\d.,-]+)(.*)", write(number)).groups()  # type: ignore[union-attr]
    return (value.rstrip("0").rstrip(".") if "." in value else value) + letters


def format_ratio(ratio: float) -> str:
    """Write a ratio, as in `581x` or `0.25x`; empty when it is not known."""
    return f"{_three_digits(ratio)}x" if math.isfinite(ratio) else ""


def format_percent(share: float) -> str:
    """Write a share with two significant digits, as in `1.2 %`."""
    return f"{float(f'{share * 100:.1e}'):,g} %"


def format_count(number: float) -> str:
    """Write a whole number of any size in few characters, as in `1,024` or `1.07e9`."""
    return f"{number:,.0f}" if number < 100_000 else f"{number:.3g}".replace("e+0", "e")


def format_interval(low: float, high: float) -> str:
    """Write both ends of a ratio's interval; empty when they are not known."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{_three_digits(low)} to {_three_digits(high)}"


def _three_digits(number: float) -> str:
    """Three significant digits, without an exponent and with commas in thousands."""
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    rounded = float(f"{number:.2e}")
    places = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, places)}f}"
