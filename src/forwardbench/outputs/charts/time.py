"""Which is fastest, from which size? Seconds a call over size, both logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forwardbench.analysis import findings
from forwardbench.analysis.crossovers import changes_of_lead
from forwardbench.analysis.rows import is_control, is_credible, size_axis, sizes
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts.drawing.lines import VALUES, Words, draw_lines, mark_crossovers
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forwardbench.outputs.charts.drawing.figure import Chart

ORDER = 1
QUESTION = "Which is fastest, from which size?"
HELP = (
    "Down is faster. Where lines cross, another way of writing the same computation takes the "
    "lead: a ring marks it, and the bar through it is its interval. A line that is flat at "
    "small sizes shows a fixed cost a call; parallel lines do the same work at different rates."
)
NEEDS = "sweeps"
LINEAR = True


def title(part: SweepPart) -> str:
    """Say who is fastest, and from which size."""
    return findings.fastest(part.rows, part.evidence)


def values(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds per call, measured or estimated."""
    columns = ["seconds", "seconds_low", "seconds_high"]
    estimated = (table["status"] == "estimated") & ~is_control(table)
    measured, guessed = table[columns].mask(estimated), table[columns].where(estimated)
    return pd.concat([measured, guessed], axis=1).set_axis(VALUES, axis=1)


def draw(part: SweepPart, view: View) -> Chart:
    """Draw one sweep."""
    table = part.rows
    shown = {findings.name_setting(setting) for setting in findings.settings(part.shown)}
    changes = {
        findings.name_setting(setting): changes_of_lead(setting, part.evidence)
        for setting in findings.settings(table)
        if findings.name_setting(setting) in shown
    }

    def mark_leads(axes: Axes, setting: pd.DataFrame, names: list[str]) -> None:
        """Ring each change of the lead in this panel, on the line that is overtaken."""
        lines, leaders = {}, {}
        for change in changes[findings.name_setting(setting)]:
            if change.after in names and change.crossover is not None:
                line = change.before if change.before in names else change.after
                lines[change.crossover] = line
                leaders[change.crossover] = change.after
        if view.x in ("size", size_axis(setting)):
            mark_crossovers(
                axes,
                leaders,
                lambda crossover, size: _height(setting, lines[crossover], size),
                view,
            )

    ring = "ring: where the lead changes, with its interval"
    marked = any(change.crossover for part in changes.values() for change in part)
    words = Words(
        title(part), "time a call", format_seconds, "estimated from a fit, never measured",
        (ring,) if marked else (),
    )  # fmt: skip
    return draw_lines(part, values(table), view, words, mark_leads)


def _height(setting: pd.DataFrame, name: str, size: float) -> float:
    """A series' time at a size between measured ones, interpolated like its line."""
    rows = setting[(setting["implementation"] == name) & is_credible(setting)]
    rows = rows.assign(size=sizes(rows)).sort_values("size")
    logs = np.log(rows[["size", "seconds"]].to_numpy(float))
    return float(np.exp(np.interp(np.log(size), logs[:, 0], logs[:, 1])))


def describe(part: SweepPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return findings.describe(part.shown, "time a call", title)
