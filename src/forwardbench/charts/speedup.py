"""How much faster? The ratio to the baseline over size, with the noise floor around 1x."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forwardbench import findings
from forwardbench.analysis import estimated_speedups, noise_floor
from forwardbench.charts.lines import draw_panels, ring_crossovers
from forwardbench.charts.style import MUTED
from forwardbench.units import format_ratio

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw one setting (sweep, dtype, threads) of the table."""
    floor = noise_floor(table)

    def decorate(axes: Axes, shown: pd.DataFrame) -> None:
        axes.axhline(1, color=MUTED, lw=1)
        if math.isfinite(floor):
            axes.axhspan(1 / floor, floor, color=MUTED, alpha=0.25, lw=0)
        ring_crossovers(axes, shown, lambda size: 1.0)

    label = f"speedup over {findings.baseline_of(table)}"
    return draw_panels(
        table,
        "speedup",
        estimated_speedups(table),
        label,
        format_ratio,
        "one of the two times was estimated from a fit, not measured",
        decorate,
    )


def describe(table: pd.DataFrame) -> str:
    """Alternative text."""
    return findings.describe(table, "speedup")
