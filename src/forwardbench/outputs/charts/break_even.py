"""When does compiling pay? Total seconds over the number of calls, including the first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forwardbench.analysis.break_even import AGAINST, PAYS
from forwardbench.analysis.crossovers import Crossover
from forwardbench.analysis.findings import caption, describe_sweep, name_setting, settings
from forwardbench.analysis.first_call_findings import (
    calls_words,
    describe_first_call,
    first_call_problems,
    format_calls,
    payoff,
)
from forwardbench.analysis.rows import size_axis, sizes
from forwardbench.outputs.bundle import BreakEvenPart
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import Chart, Layout, Point, belongs_to, make_grid
from forwardbench.outputs.charts.drawing.lines import mark_crossovers
from forwardbench.outputs.charts.drawing.scale import logarithmic_ticks, set_value_axis
from forwardbench.outputs.charts.drawing.style import Look
from forwardbench.outputs.charts.drawing.text import cut
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.results import HOST
from forwardbench.units import format_count, format_seconds, format_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = 6
QUESTION = "When does compiling pay?"
HELP = (
    "Down is faster. What compiles starts high, since its first call compiles, and stays level "
    f"until its calls add up; {AGAINST} pays for each call from the start. A ring marks the number "
    "of calls from which on the first call has paid for itself, the bar through it is its "
    "interval. Importing a framework is not counted."
)
MOST_CASES = 6
"""Most panels for unrelated cases. A sweep shows its smallest, middle and largest case."""
_MOST_CALLS = 1e9
"""The axis never ends later than this."""
_FEWEST_CALLS = 1e3
"""The axis never ends earlier than this."""
_POINTS = 64
"""Points along a line, because lines are curved on logarithmic axes."""
NEEDS = "break-evens"
OWN_AXIS = True
LACKING = (
    "has no first call that could be compared with matmul: measure both with forwardbench run "
    "--first-calls 3 --implementation matmul --implementation NAME"
)


def title(part: BreakEvenPart) -> str:
    """Say after how many calls compiling pays."""
    return payoff(part.rows)


def draw(part: BreakEvenPart, view: View) -> Chart:
    """Draw one sweep's first calls, if they could be compared with the reference."""
    judged = part.shown
    shares = _share_out(judged, view)
    panels = [
        (panel_rows, looks)
        for rows in _shown(judged)
        for looks in shares
        if len(panel_rows := rows[rows["implementation"].isin(list(looks))])
    ]
    several = len(list(settings(judged))) > 1
    layout = Layout(
        width=2.9, height=2.9, left=0.85, right=1.75, above=0.35, below=0.55,
        share_x=False, share_y=False,
    )  # fmt: skip
    notes = [
        part.choice, HELP, "; ".join(first_call_problems(part.rows)), _explain(judged),
        caption(judged),
    ]  # fmt: skip
    chart, grid = make_grid(len(panels), layout, view, title(part), describe_sweep(judged), notes)
    for axes, (rows, looks) in zip(grid, panels, strict=True):
        heading = f"{rows['case'].iloc[0]}{', ' + name_setting(rows) if several else ''}"
        axes.set_title(cut(heading, layout.width + layout.right, 9), loc="left", size=9, pad=8)
        axes.set_xlabel("calls", loc="left")
        axes.set_ylabel("time in all")
        reach = _set_axes(axes, rows)
        _draw_panel(chart, axes, rows, looks, reach, view)
    return chart


def _share_out(judged: pd.DataFrame, view: View) -> list[dict[str, Look]]:
    """Divide implementations among panels; each has the same look on every case."""
    series = zip(view.theme.series, style.MARKERS, style.DASHES, strict=True)
    styles = [Look(*look) for look in series]
    names = sorted(set(judged["implementation"]))
    base = {AGAINST: Look(view.theme.baseline, style.BASELINE_MARKER, "-")}
    return [
        base | dict(zip(names[start : start + len(styles)], styles, strict=False))
        for start in range(0, len(names), len(styles))
    ]


def _shown(judged: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each case that has a panel, sorted by setting, size and implementation."""
    parts = []
    for rows in settings(judged):
        groups = rows.assign(size=sizes(rows)).sort_values(["size", "case", "implementation"])
        cases = [part for _, part in groups.groupby(["size", "case", "activation"])]
        most = 3 if size_axis(rows) else MOST_CASES
        places = np.linspace(0, len(cases) - 1, min(most, len(cases)))
        parts += [cases[round(place)] for place in places]
    return parts


def _set_axes(axes: Axes, rows: pd.DataFrame) -> float:
    """Scale a panel to its own case, and return the number of calls at its right end.

    The right end is beyond the last known crossing, and beyond the point where the flattest line
    begins to rise.
    """
    ends = rows[["calls", "calls_low", "calls_high"]].to_numpy(float)
    known = ends[np.isfinite(ends)]
    last = max([*10 * known, 10 * (rows["first"] / rows["seconds"]).max(), _FEWEST_CALLS])
    reach = float(min(10.0 ** math.ceil(math.log10(last)), _MOST_CALLS))
    lowest = float(rows[["seconds", "against_seconds"]].min().min())
    totals = [reach * rows["against_seconds"], rows["first"] + reach * rows["seconds"]]
    set_value_axis(axes, (lowest, float(pd.concat(totals).max())), format_seconds)
    ticks = logarithmic_ticks(1, reach)
    axes.set_xscale("log")
    axes.set_xlim(1, reach)
    axes.set_xticks(ticks, [format_tick(tick, format_count) for tick in ticks])
    axes.minorticks_off()
    return reach


def _draw_panel(
    chart: Chart,
    axes: Axes,
    rows: pd.DataFrame,
    looks: dict[str, Look],
    reach: float,
    view: View,
) -> None:
    """Draw one case: a line for the reference, and one for each implementation that compiles."""
    calls = np.geomspace(1, reach, _POINTS)
    base = rows.iloc[0]
    cost = float(base["against_seconds"])
    totals = {AGAINST: cost * calls}
    belongs_to(AGAINST, axes.plot(calls, totals[AGAINST], color=looks[AGAINST].colour, lw=1.4))
    text = f"{AGAINST} at {base['case']}: {format_seconds(cost)} a call"
    chart.points.append(Point(AGAINST, text, axes, 1.0, cost))
    for _, row in rows.iterrows():
        name = str(row["implementation"])
        totals[name] = row["first"] + (calls - 1) * row["seconds"]
        _draw_line(chart, axes, row, calls, looks[name])
    crossings = {
        Crossover(row["calls"], row["calls_low"], row["calls_high"], True): row["implementation"]
        for _, row in rows[rows["verdict"] == PAYS].iterrows()
    }
    mark_crossovers(axes, crossings, lambda crossover, count: cost * count, view, format_calls)
    ends = {name: _inside(axes, reach, float(line[-1])) for name, line in totals.items()}
    style.label_ends(axes, ends, looks)


def _draw_line(
    chart: Chart, axes: Axes, row: pd.Series[Any], calls: np.ndarray[Any, Any], look: Look
) -> None:
    """Draw the total seconds of an implementation, with a band for its first call's interval."""
    name, later = str(row["implementation"]), (calls - 1) * row["seconds"]
    artists: list[Any] = axes.plot(
        calls, row["first"] + later, ls=look.dash, color=look.colour, lw=1.4
    )
    artists += axes.plot([1], [row["first"]], look.marker, color=look.colour, ms=5, clip_on=False)
    if pd.notna(row["first_low"]):
        band: Any = {"color": look.colour, "alpha": 0.15, "lw": 0}
        low, high = row["first_low"] + later, row["first_high"] + later
        artists.append(axes.fill_between(calls, low, high, **band))
    belongs_to(name, artists)
    chart.points.append(Point(name, describe_first_call(row), axes, 1.0, row["first"]))


def _inside(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Convert a point from data coordinates to shares of the axes."""
    place = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
    return float(place[0]), float(place[1])


def _explain(judged: pd.DataFrame) -> str:
    """Explain the bands, and series without a ring, if there are any."""
    kinds = ["band: 95 % interval of the first call"] if judged["first_low"].notna().any() else []
    if (judged["verdict"] != PAYS).any():
        kinds.append("without a ring: not shown to pay, or shown never to")
    return "; ".join(kinds)


def describe(part: BreakEvenPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    judged = part.shown
    ends = "; ".join(
        f"{' on '.join(str(name) for name in names if name)}: {_ends(rows)}"
        for names, rows in judged.groupby(["implementation", HOST], sort=False)
    )
    sweep = part.rows["sweep"].iloc[0]
    return (
        f"Line chart of total time over the number of calls in the sweep {sweep}, "
        f"where {title}. Calls after which each pays: {ends}."
    )


def _ends(rows: pd.DataFrame) -> str:
    """After how many calls a first call pays, on the smallest and on the largest case."""
    ordered = rows.assign(size=sizes(rows)).sort_values("size")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    start = f"{calls_words(first)} at {first['case']}"
    return start if len(rows) == 1 else f"{start}, {calls_words(last)} at {last['case']}"
