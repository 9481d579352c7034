"""What did change? Every ratio of a comparison with its interval, and the geometric means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forwardbench.analysis.comparison import Comparison, is_shown
from forwardbench.analysis.comparison_findings import count_verdicts, describe_drift, describe_mean
from forwardbench.analysis.findings import name_setting
from forwardbench.analysis.noise import NO_DIFFERENCE
from forwardbench.analysis.rows import sizes
from forwardbench.outputs.bundle import ComparisonPart
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import Chart, Layout, Point, belongs_to, make_grid
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_interval, format_ratio, format_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = 8
QUESTION = "What did change?"
NEEDS = "comparison"
_MEAN = "geometric mean"
HELP = (
    "Right of the line the second is faster, left of it the first; bars are intervals. "
    "Filled: a difference is shown. Hollow: none is. No mark: not comparable. Diamonds are "
    "geometric means over all sweeps."
)


def title(part: ComparisonPart) -> str:
    """Give the geometric mean of all cells that can be compared."""
    comparison = part.comparison
    if comparison.overall is None:
        return "Nothing can be compared"
    mean = describe_mean(comparison, comparison.overall)
    shown = is_shown(comparison, comparison.overall)
    return f"On average the second is {mean}" if shown else f"No difference shown: {mean}"


def draw(part: ComparisonPart, view: View) -> Chart:
    """Draw one sweep of a comparison, a panel for each implementation and setting."""
    comparison, cells = part.comparison, part.rows
    groups = list(cells.groupby(["dtype", "threads", "implementation"], sort=False))
    several = cells[["dtype", "threads"]].drop_duplicates().shape[0] > 1
    cases = list(dict.fromkeys(cells.assign(size=sizes(cells)).sort_values("size")["case"]))
    layout = Layout(
        width=2.3, height=0.19 * (len(cases) + 1) + 0.2, left=1.35, right=0.75, above=0.45,
        below=0.6,
    )  # fmt: skip
    notes = [HELP, count_verdicts(comparison), describe_drift(comparison), part.sides]
    subtitle = f"{part.name}: how many times as fast the second is as the first"
    chart, panels = make_grid(len(groups), layout, view, title(part), subtitle, notes)
    ends = cells[["ratio", "ratio_low", "ratio_high"]].stack()
    reach = max(float(np.exp(np.abs(np.log(ends)).max())) if len(ends) else 1.0, 1.02) ** 1.1
    for axes, (_, rows) in zip(panels, groups, strict=True):
        name = str(rows["implementation"].iloc[0])
        which = f"\n{name_setting(rows)}" if several else ""
        heading = axes.set_title(style.shortened(name) + which, loc="left", size=9)
        belongs_to(name, [heading])
        _frame(axes, [*cases, _MEAN], reach, view)
        _draw_rows(chart, axes, rows, cases, view)
        _draw_mean(axes, comparison, name, len(cases), view)
    return chart


def _frame(axes: Axes, labels: list[str], reach: float, view: View) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1 / reach, reach)
    ticks = style.ticks_around_one(reach)
    axes.set_xticks(ticks, [format_tick(tick, format_ratio) for tick in ticks], size=7)
    axes.minorticks_off()
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_yticks(range(len(labels)), [style.shortened(label) for label in labels], size=7.5)
    axes.tick_params("y", length=0)
    axes.axvline(1, color=view.theme.muted, lw=0.8)


def _draw_rows(chart: Chart, axes: Axes, rows: pd.DataFrame, cases: list[str], view: View) -> None:
    places = np.array([cases.index(case) for case in rows["case"]])
    colours = {"faster": view.theme.series[0], "slower": view.theme.series[1]}
    for verdict, marker in (("faster", ">"), ("slower", "<"), (NO_DIFFERENCE, "o")):
        selected = (rows["verdict"] == verdict).to_numpy()
        colour = colours.get(verdict, view.theme.muted)
        cells: Any = rows[selected]
        axes.hlines(places[selected], cells["ratio_low"], cells["ratio_high"], color=colour, lw=1.4)
        face = view.theme.background if verdict == NO_DIFFERENCE else colour
        axes.plot(cells["ratio"], places[selected], marker, color=colour, mfc=face, ms=5)
    beside: Any = {"transform": axes.get_yaxis_transform(), "va": "center", "size": 7}
    for place, (_, row) in zip(places, rows.iterrows(), strict=True):
        axes.text(1.02, place, f"{row['ratio']:.3f}x", **beside)
        interval = format_interval(row["ratio_low"], row["ratio_high"])
        name = str(row["implementation"])
        text = f"{name} at {row['case']}: {row['ratio']:.3f}x ({interval}), {row['verdict']}"
        chart.points.append(Point(name, text, axes, row["ratio"], float(place)))


def _draw_mean(axes: Axes, comparison: Comparison, name: str, place: int, view: View) -> None:
    mean = comparison.means.get(name)
    if mean is None:
        return
    if mean.low == mean.low:
        axes.hlines([place], [mean.low], [mean.high], color=view.theme.text, lw=2)
    face = view.theme.text if is_shown(comparison, mean) else view.theme.background
    axes.plot([mean.centre], [place], "D", color=view.theme.text, mfc=face, ms=5)
    axes.text(
        1.02, place, f"{mean.centre:.3f}x", transform=axes.get_yaxis_transform(), va="center",
        size=7, weight="bold",
    )  # fmt: skip


def describe(part: ComparisonPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    counts = count_verdicts(part.comparison)
    return f"Forest chart of the sweep {part.name}, where {title}: {counts}"
