"""How sure? Every pass of every cell, relative to the cell's centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forwardbench.analysis import findings
from forwardbench.analysis.notation import write_time
from forwardbench.analysis.rows import is_control, slowest_first
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts.drawing import style, text
from forwardbench.outputs.charts.drawing.figure import (
    COLUMNS,
    Chart,
    Layout,
    Point,
    belongs_to,
    make_grid,
)
from forwardbench.outputs.charts.drawing.style import LABEL_SIZE
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

ORDER = 5
QUESTION = "How sure?"
HELP = (
    "Each dot is one pass, relative to the centre of all passes of its cell; outliers are kept. "
    "The bar is the interval of the centre. The scale is linear near 0 and logarithmic far "
    "from it. Dots far to the right are slow passes, as when something else kept the machine "
    "busy. The number beside each row is the centre itself, with ~ if it was estimated "
    "from a fit; a word there says why there is none."
)
NEEDS = "sweeps"
SHAPE = "dense"
_WORDS = {"unavailable": "n/a"}
_LINEAR = 0.02
"""The scale is nearly linear for deviations below this share."""
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.99, 1, 2, 5, 10, 20, 50, 100, 1000, 10000)
"""Shares above the centre. Those below 1 are used below the centre too."""
_TEXT_SIZE = 7.0
_CASE_SIZE = 7.5
_CASE_ROOM = 1.2
_ROW = 0.19
"""Inches of a row's height."""
_AXIS = "passes, relative to their centre"


def title(part: SweepPart) -> str:
    """Say how wide the intervals of the times are."""
    return findings.sureness(part.rows)


def draw(part: SweepPart, view: View) -> Chart:
    """Draw one sweep: a panel for each implementation, controls among them."""
    table = part.shown
    table = table.assign(
        pass_seconds=part.evidence.passes.loc[table.index],
        row=style.positions(table, View()),
        key=table["case"] + table["activation"],
    )
    rows = table.sort_values(["row", "key"]).drop_duplicates("key")
    order = dict(zip(rows["key"], rows["case"], strict=True))
    panels = [
        (setting, name)
        for setting in findings.settings(table)
        for name in [*slowest_first(setting), *_controls(setting)]
        if setting.loc[setting["implementation"] == name, "pass_seconds"].map(len).any()
    ]
    beside = COLUMNS
    if len(findings.hosts(table)) > 1:  # all machines of an implementation side by side
        beside = min(COLUMNS, len(findings.hosts(table)))
        names = list(dict.fromkeys(name for _, name in panels))
        panels.sort(key=lambda panel: names.index(panel[1]))
    several = len(list(findings.settings(table))) > 1
    layout = Layout(
        width=2.3, height=_ROW * (len(order) + 0.8), left=_CASE_ROOM + 0.1, right=0.85,
        above=0.45 if several else 0.3, below=0.5,
    )  # fmt: skip
    notes = [part.choice, *findings.problems(part.rows), HELP, findings.caption(table)]
    subtitle = findings.describe_sweep(table)
    chart, all_axes = make_grid(
        len(panels), layout, view, title(part), subtitle, notes, beside=beside
    )
    reach = _reach(table)
    for axes, (setting, name) in zip(all_axes, panels, strict=True):
        which = f"\n{findings.name_setting(setting)}" if several else ""
        room = layout.width + layout.right - 0.1
        heading = axes.set_title(
            text.cut(name, room, LABEL_SIZE) + which, loc="left", size=LABEL_SIZE
        )
        rows = setting[setting["implementation"] == name]
        belongs_to(_series_of(rows), [heading])
        _frame(axes, order, reach, layout, view)
        _draw_rows(chart, axes, rows, list(order), view)
    return chart


def _series_of(rows: pd.DataFrame) -> str:
    """The implementation of the rows; of a control, the one that it repeats."""
    first = rows.iloc[0]
    return str(first["control_of"] or first["implementation"])


def _controls(setting: pd.DataFrame) -> list[str]:
    names = setting["implementation"]
    return sorted(set(names[is_control(setting)]))


def _deviations(row: pd.Series[Any]) -> NDArray[np.float64]:
    """The logarithm of each pass' time divided by the centre."""
    times = np.array(row["pass_seconds"], float)
    ratios: NDArray[np.float64] = times[~np.isnan(times)] / float(row["seconds"])
    return np.log(ratios)


def _reach(table: pd.DataFrame) -> float:
    """The largest deviation of a pass or of an end of an interval."""
    timed = table[table["pass_seconds"].map(len) > 0]
    far = [np.abs(_deviations(row)).max() for _, row in timed.iterrows()]
    ends = timed[["seconds_low", "seconds_high"]].div(timed["seconds"], axis=0).to_numpy(float)
    return float(np.nanmax([*far, *np.abs(np.log(ends)).ravel(), 0.03]))


def _frame(axes: Axes, order: dict[str, str], reach: float, layout: Layout, view: View) -> None:
    axes.set_xscale("asinh", linear_width=_LINEAR)
    axes.set_xlim(-reach * 1.25, reach * 1.25)
    shown = _ticks(reach * 1.25, layout.width)
    axes.set_xticks(
        [math.log1p(tick) for tick in shown],
        [_tick_label(tick) for tick in shown],
        size=_TEXT_SIZE,
    )
    axes.minorticks_off()
    style.name_below(axes, _AXIS, _TEXT_SIZE / 60, layout.height)
    axes.xaxis.label.set_fontsize(_CASE_SIZE)
    axes.set_ylim(len(order) - 0.4, -0.6)
    cases = [text.cut(case, _CASE_ROOM, _CASE_SIZE) for case in order.values()]
    axes.set_yticks(range(len(order)), cases, size=_CASE_SIZE)
    axes.tick_params("y", left=False)
    # One artist for all lines is drawn faster than a grid, which has one for each.
    axes.yaxis.grid(visible=False)
    across: Any = {"transform": axes.get_yaxis_transform(), "zorder": 0.5}
    axes.hlines(range(len(order)), 0, 1, color=view.theme.grid, lw=0.6, **across)
    axes.axvline(0, color=view.theme.muted, lw=0.8)


def _ticks(reach: float, width: float) -> list[float]:
    """Choose the shares that get a number on an axis of that width; outer ones come first."""

    def place(share: float) -> float:
        scaled = math.asinh(math.log1p(share) / _LINEAR) / math.asinh(reach / _LINEAR)
        return scaled * width / 2

    def least_distance(first: float, second: float) -> float:
        labels = _tick_label(first) + _tick_label(second)
        return text.width(labels, _TEXT_SIZE) / 2 + 0.07

    shares = [*_TICKS, *(-tick for tick in _TICKS if tick < 1)]
    inside = [share for share in shares if abs(math.log1p(share)) <= reach]
    kept = [0.0]
    for share in sorted(inside, key=lambda share: -abs(place(share))):
        if all(abs(place(share) - place(other)) >= least_distance(share, other) for other in kept):
            kept.append(share)
    return sorted(kept)


def _tick_label(share: float) -> str:
    return f"{share:+,.0%}" if share else "0"


def _draw_rows(chart: Chart, axes: Axes, rows: pd.DataFrame, order: list[str], view: View) -> None:
    """Draw a line for each case: dots for passes, a bar for the interval, and the centre."""
    name = _series_of(rows)
    timed = rows[rows["pass_seconds"].map(len) > 0]
    places = [order.index(key) for key in timed["key"]]
    passes = [_deviations(row) for _, row in timed.iterrows()]
    ends = np.log(
        [timed["seconds_low"] / timed["seconds"], timed["seconds_high"] / timed["seconds"]]
    )
    artists: list[Any] = [axes.hlines(places, *ends, color=view.theme.muted, lw=5, alpha=0.45)]
    artists += axes.plot(
        np.concatenate(passes), np.repeat(places, [len(deviations) for deviations in passes]), "o",
        color=view.theme.series[0], ms=3, alpha=0.7, mew=0,
    )  # fmt: skip
    for place, deviations, (_, row) in zip(places, passes, timed.iterrows(), strict=True):
        spread = f"passes from {_signed(deviations.min())} to {_signed(deviations.max())}"
        sentence = findings.describe_row(row)
        if len(deviations) > 1:
            sentence += f", {len(deviations)} {spread}"
        chart.points.append(Point(name, sentence, axes, 0.0, place))
    beside: Any = {"transform": axes.get_yaxis_transform(), "va": "center", "size": _TEXT_SIZE}
    artists += [
        axes.text(1.02, order.index(row["key"]), _centre(row), **beside)
        for _, row in rows.iterrows()
    ]
    belongs_to(name, artists)


def _centre(row: pd.Series[Any]) -> str:
    return write_time(row) or _WORDS.get(row["status"], str(row["status"]))


def _signed(logarithm: float) -> str:
    share = math.expm1(logarithm)
    return f"{'+' if share >= 0 else '-'}{format_percent(abs(share))}"


def describe(part: SweepPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return (
        f"Dot chart of every pass of {'some cells' if part.choice else 'every cell'} in the sweep "
        f"{part.rows['sweep'].iloc[0]}, relative to the cell's centre, where {title}."
    )
