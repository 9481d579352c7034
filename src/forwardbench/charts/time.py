"""Which is fastest, from which size? Seconds a call over size, both logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forwardbench import findings
from forwardbench.analysis import is_control, size_axis
from forwardbench.charts.lines import draw_panels, positions, ring_crossovers
from forwardbench.units import format_seconds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw one setting (sweep, dtype, threads) of the table."""
    estimated = (table["status"] == "estimated") & ~is_control(table)
    columns = ("seconds", "seconds_low", "seconds_high")
    measured = table.assign(**{f"measured_{name}": table[name].mask(estimated) for name in columns})
    return draw_panels(
        measured,
        "measured_seconds",
        table[list(columns)]
        .where(estimated)
        .set_axis(["guess", "guess_low", "guess_high"], axis=1),
        "time a call",
        format_seconds,
        "estimated from a fit, never measured",
        _mark_crossovers,
    )


def describe(table: pd.DataFrame) -> str:
    """Alternative text."""
    return findings.describe(table, "time a call")


def _mark_crossovers(axes: Axes, table: pd.DataFrame) -> None:
    """Ring the crossovers on the baseline's line."""
    rows = table[table["implementation"] == findings.baseline_of(table)]
    rows = rows[rows["seconds"].notna()]
    if rows.empty or not size_axis(str(table["sweep"].iloc[0])):
        return
    rows = rows.assign(x=np.log(positions(rows)), y=np.log(rows["seconds"])).sort_values("x")
    ring_crossovers(
        axes, table, lambda size: float(np.exp(np.interp(np.log(size), rows["x"], rows["y"])))
    )
