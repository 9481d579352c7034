"""Why: interpreter, dispatch or compute? Nanoseconds per multiply-add over size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from forwardbench.analysis import findings
from forwardbench.analysis.rows import work
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts import time
from forwardbench.outputs.charts.drawing.lines import Words, draw_lines
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forwardbench.outputs.charts.drawing.figure import Chart

ORDER = 3
QUESTION = "Why: interpreter, dispatch or compute?"
HELP = (
    "Each time is divided by the multiply-adds it paid for. A line that falls spreads a fixed "
    "cost a call over more work; one that is high and flat pays the interpreter for each "
    "multiply-add; one that is low and flat is limited by the arithmetic itself."
)
NEEDS = "sweeps"
LINEAR = True


def title(part: SweepPart) -> str:
    """Say what a multiply-add costs."""
    return findings.cheapest(part.rows)


def values(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds per multiply-add."""
    return time.values(table).div(work(table), axis=0)


def draw(part: SweepPart, view: View) -> Chart:
    """Draw one sweep."""

    def no_decoration(axes: Axes, setting: pd.DataFrame, names: list[str]) -> None:
        """Add nothing to the lines."""

    words = Words(
        title(part),
        "time per multiply-add",
        format_seconds,
        "estimated from a fit, never measured",
        ("falling: a fixed cost a call; high and flat: the interpreter; low and flat: arithmetic",),
    )
    return draw_lines(part, values(part.rows), view, words, no_decoration)


def describe(part: SweepPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return findings.describe(part.shown, "time per multiply-add", title)
