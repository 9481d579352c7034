"""How much faster? The ratio to the baseline over size, with the noise floor around 1x."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from forwardbench.analysis import findings
from forwardbench.analysis.crossovers import Crossover, crossovers
from forwardbench.analysis.estimates import estimated_speedups
from forwardbench.analysis.noise import noise_floor
from forwardbench.analysis.rows import size_axis, slowest_first
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts.drawing.lines import VALUES, Words, draw_lines, mark_crossovers
from forwardbench.outputs.charts.drawing.style import LABEL_SIZE, NAME_ROOM
from forwardbench.outputs.charts.drawing.text import cut
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forwardbench.outputs.charts.drawing.figure import Chart

ORDER = 2
QUESTION = "How much faster?"
HELP = (
    "Up is faster; the line at 1x is the baseline itself. The grey band around it is the noise "
    "floor: 95 % of ratios of identical code are expected inside it, so no "
    "difference is shown there. A ring marks where a series crosses the baseline, the bar through "
    "it is its interval."
)
NEEDS = "sweeps"
LINEAR = True


def title(part: SweepPart) -> str:
    """Say how much faster the fastest is than the baseline."""
    return findings.finding(part.rows, part.evidence)


def values(table: pd.DataFrame) -> pd.DataFrame:
    """Ratio of the baseline's time to each time, measured or estimated."""
    ends = table[["speedup_low", "speedup_high"]]
    # The baseline's speedup over itself is exactly 1, however uncertain its time is.
    ends = ends.mask(table["implementation"] == table["baseline"])
    measured = pd.concat([table["speedup"], ends], axis=1)
    return pd.concat([measured, estimated_speedups(table)], axis=1).set_axis(VALUES, axis=1)


def draw(part: SweepPart, view: View) -> Chart:
    """Draw one sweep."""
    table = part.rows
    baseline = findings.baseline_of(table)
    crossings_by_setting = {
        findings.name_setting(rows): _crossings(rows, part) for rows in findings.settings(table)
    }

    def mark_one(axes: Axes, setting: pd.DataFrame, names: list[str]) -> None:
        """Draw the baseline at 1x, the noise floor around it, and the crossings."""
        floor = noise_floor(setting)
        axes.axhline(1, color=view.theme.muted, lw=1)
        if math.isfinite(floor):
            axes.axhspan(1 / floor, floor, color=view.theme.muted, alpha=0.25, lw=0)
        crossings = crossings_by_setting[findings.name_setting(setting)]
        series = {crossing: name for name in names for crossing in crossings.get(name, [])}
        if view.x in ("size", size_axis(setting)):
            mark_crossovers(axes, series, lambda crossover, size: 1.0, view)

    words = Words(
        title(part),
        f"speedup over {cut(baseline, NAME_ROOM, LABEL_SIZE)}",
        format_ratio,
        "one of the two times was estimated from a fit, not measured",
        _explain(table, any(any(each.values()) for each in crossings_by_setting.values())),
    )
    return draw_lines(part, values(table), view, words, mark_one)


def _crossings(setting: pd.DataFrame, part: SweepPart) -> dict[str, list[Crossover]]:
    """Where each series that is shown in a setting crosses the baseline."""
    baseline = findings.baseline_of(setting)
    shown = set(setting.loc[setting.index.isin(part.shown.index), "implementation"])
    names = [name for name in slowest_first(setting) if name in shown - {baseline}]
    return {name: crossovers(setting, part.evidence, name, baseline) for name in names}


def _explain(table: pd.DataFrame, crossed: bool) -> tuple[str, ...]:
    """Explain the band and the rings, if there are any."""
    kinds = []
    if any(math.isfinite(noise_floor(rows)) for rows in findings.settings(table)):
        kinds.append("grey band around 1x: the noise floor")
    if crossed:
        kinds.append("ring: a series crosses the baseline, with its interval")
    return ("; ".join(kinds),)


def describe(part: SweepPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return findings.describe(part.shown, "speedup", title)
