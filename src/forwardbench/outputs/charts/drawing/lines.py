"""The common parts of charts over size: series of marks whose look shows their status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.transforms import Affine2D

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.crossovers import Crossover
from forwardbench.analysis.findings import (
    baseline_of,
    caption,
    describe_row,
    describe_sweep,
    hosts,
    interval_word,
    name_setting,
    noise_sentence,
    problems,
    settings,
)
from forwardbench.analysis.rows import is_control, is_credible, size_axis, slowest_first
from forwardbench.analysis.size_findings import format_size
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import (
    COLUMNS,
    Chart,
    Layout,
    Point,
    belongs_to,
    make_grid,
)
from forwardbench.outputs.charts.drawing.scale import set_value_axis
from forwardbench.outputs.charts.drawing.style import GUTTER_MARKS, Look, label_ends, positions
from forwardbench.outputs.charts.drawing.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

VALUES = ["value", "low", "high", "guess", "guess_low", "guess_high"]
"""Columns of the values that a chart draws, with one row for each row of the table: a measured
value with its interval, or an estimated one; NaN where there is none."""
_LEVEL = 0.045
"""Share of a panel's height for each series with marks at the top."""
_BESIDE = 0.15
"""Distance between two series on one case, where cases stand side by side."""
_RING = 11.0
"""Size of a ring in points. Crossings that are closer than this share one ring."""
_NUMBER = (26.0, 12.0)
"""Width and height of the number at a ring, in points."""


@dataclass(frozen=True)
class Words:
    """The texts around one kind of chart."""

    title: str
    label: str
    """Label of the vertical axis."""
    number: Callable[[float], str]
    """Writes a value."""
    hollow: str
    """What a hollow mark means."""
    notes: tuple[str, ...] = ()


Decorate = Callable[["Axes", pd.DataFrame, list[str]], None]
"""Adds to a panel what only one kind of chart has.

Gets the panel, all rows of its setting, and the series that it shows.
"""


def draw_lines(
    part: SweepPart, values: pd.DataFrame, view: View, words: Words, decorate: Decorate
) -> Chart:
    """Draw ``values`` over size for every series, with a row of panels for each setting.

    ``values`` has a row for each of the part's. Where one panel holds all series, the settings of
    several machines stand side by side.
    """
    table = part.shown
    values = values.loc[table.index]
    style.check_axis(table, view)
    shares = style.share_out(table, view.theme)
    rows = list(settings(table))
    whole = dict(iter(part.rows.groupby(SETTING, sort=False)))
    panels = [(setting, share) for setting in rows for share in shares]
    notes = [
        part.choice, *problems(part.rows), _explain(table, values, words.hollow), *words.notes,
        noise_sentence(part.rows), caption(table),
    ]  # fmt: skip
    layout = Layout(height=3.0 if len(rows) > 1 else 3.7, above=0.3 if len(rows) > 1 else 0.2)
    along = style.plan_axis(table, view, layout.width, layout.left)
    layout = replace(layout, width=along.width, below=along.room)
    chart, all_axes = make_grid(
        len(panels), layout, view, words.title, describe_sweep(table), notes,
        beside=len(shares) if len(shares) > 1 else min(COLUMNS, max(1, len(hosts(table)))),
    )  # fmt: skip
    shown_values = values[~is_control(table)]
    # On a linear scale one estimate, or one impossible time, would flatten everything else.
    credible = shown_values.loc[is_credible(table.loc[shown_values.index]), VALUES[:3]]
    ends = _ends(credible if view.linear and credible["value"].notna().any() else shown_values)
    levels = max(len(_absent(setting.join(values), looks)) for setting, looks in panels)
    first = all_axes[0]
    set_value_axis(first, ends, words.number, linear=view.linear, gutter=_LEVEL * levels)
    along.scale(first)
    for axes, (setting, looks) in zip(all_axes, panels, strict=True):
        if len(rows) > 1:
            axes.set_title(name_setting(setting), loc="left", size=9, pad=6)
        along.label(axes, layout.height)
        decorate(axes, whole[tuple(setting[SETTING].iloc[0])], list(looks))
        shown = setting[setting["implementation"].isin(list(looks))]
        _draw_series(chart, axes, shown.join(values), looks, view)
        axes.set_ylabel(words.label)
        axes.yaxis.set_label_coords(0.12 / layout.width - layout.left / layout.width, 0.5)
    return chart


def _ends(values: pd.DataFrame) -> tuple[float, float]:
    """The smallest and the largest of all values and ends of intervals."""
    known = values.to_numpy(float)
    known = known[np.isfinite(known) & (known > 0)]
    return (float(known.min()), float(known.max())) if len(known) else (0.5, 2.0)


def _absent(table: pd.DataFrame, looks: dict[str, Look]) -> list[str]:
    """The series of a panel that have cells without a value, in the panel's order."""
    lacking = table[table["value"].isna() & table["guess"].isna()]["implementation"]
    return [name for name in looks if name in set(lacking)]


def _draw_series(
    chart: Chart, axes: Axes, table: pd.DataFrame, looks: dict[str, Look], view: View
) -> None:
    """Draw every series of one panel; ``table`` has the columns of `VALUES` too."""
    if table.empty:
        return
    connect = bool(size_axis(table))
    table = table.assign(x=positions(table, view))
    gutter = _absent(table, looks)
    ends = {}
    for number, (name, look) in enumerate(looks.items()):
        rows = table[table["implementation"] == name].sort_values("x")
        if rows.empty:
            continue
        if not style.is_numeric(table, view):  # series side by side, not on top of each other
            rows["x"] += _BESIDE * (number - (len(looks) - 1) / 2)
        known, guessed = rows[rows["value"].notna()], rows[rows["guess"].notna()]
        _draw_measured(axes, known, look, connect)
        _draw_guessed(axes, known, guessed, look, view, connect)
        level = 1 - _LEVEL * (gutter.index(name) + 0.5) if name in gutter else 1.0
        _draw_absent(axes, rows[rows["value"].isna() & rows["guess"].isna()], look, level)
        drawn = rows.assign(y=rows["value"].fillna(rows["guess"])).dropna(subset=["y"])
        inside = drawn[
            drawn["y"].between(*axes.get_ylim())
        ]  # on a linear scale some marks are outside
        chart.points += [
            Point(name, describe_row(row), axes, row["x"], row["y"]) for _, row in inside.iterrows()
        ]
        if len(drawn):
            last = axes.transData.transform(drawn[["x", "y"]].to_numpy(float)[-1])
        else:  # the label is at the top, where the marks are
            last = axes.get_xaxis_transform().transform((rows["x"].iloc[-1], level))
        ends[name] = tuple(axes.transAxes.inverted().transform(last))
    label_ends(axes, ends, looks)


def _draw_measured(axes: Axes, known: pd.DataFrame, look: Look, connect: bool) -> None:
    """Draw filled marks with a band and whiskers for the interval.

    Credible ones are joined by a line; the others are crossed out.
    """
    if known.empty:
        return
    name = str(known["implementation"].iloc[0])
    line: Any = look.dash if connect else ""
    credible = is_credible(known)
    joined, doubted = known[credible], known[~credible]
    marks: Any = {"color": look.colour, "ms": 4.5}
    artists: list[Any] = list(
        axes.plot(joined["x"], joined["value"], look.marker, ls=line, lw=1.4, **marks)
    )
    if len(doubted):
        artists += axes.plot(doubted["x"], doubted["value"], look.marker, ls="", **marks)
        artists += axes.plot(doubted["x"], doubted["value"], "x", color=look.colour, ms=11, mew=1.5)
    sure = known[known["low"].notna()]
    if len(sure):
        bars = axes.errorbar(
            sure["x"], sure["value"], _whiskers(sure, "value", "low", "high"),
            fmt="none", ecolor=look.colour, elinewidth=1, capsize=2,
        )  # fmt: skip
        artists += bars.get_children()
    between = sure[is_credible(sure)]
    if connect and len(between) > 1:
        band: Any = {"color": look.colour, "alpha": 0.15, "lw": 0}
        artists.append(axes.fill_between(between["x"], between["low"], between["high"], **band))
    belongs_to(name, artists)


def _draw_guessed(
    axes: Axes, known: pd.DataFrame, guessed: pd.DataFrame, look: Look, view: View, connect: bool
) -> None:
    """Draw hollow marks, dotted whiskers, and a dotted line from the last measured mark.

    Values that depend on an implausible time are crossed out.
    """
    if guessed.empty:
        return
    name = str(guessed["implementation"].iloc[0])
    artists: list[Any] = []
    doubted = (guessed["status"] == "measured") & ~is_credible(guessed)
    if doubted.any():
        crosses = guessed[doubted]
        artists += axes.plot(crosses["x"], crosses["guess"], "x", color=look.colour, ms=11, mew=1.5)
    if connect:
        last = known[is_credible(known)].tail(1)
        bridge = pd.concat([last.assign(guess=last["value"]), guessed[~doubted]])
        bridge = bridge.sort_values("x")
        artists += axes.plot(bridge["x"], bridge["guess"], ":", color=look.colour, lw=1.2)
    bars = axes.errorbar(
        guessed["x"], guessed["guess"], _whiskers(guessed, "guess", "guess_low", "guess_high"),
        fmt=look.marker, color=look.colour, mfc=view.theme.background, ms=5.5, elinewidth=0.8,
        capsize=2.5,
    )  # fmt: skip
    for stem in bars[2]:
        stem.set_linestyle(":")
    belongs_to(name, [*artists, *bars.get_children()])


def _draw_absent(axes: Axes, absent: pd.DataFrame, look: Look, level: float) -> None:
    """Draw marks by status at the top of the panel, where each series has its own height."""
    for (name, status), rows in absent.groupby(["implementation", "status"], sort=False):
        belongs_to(str(name), axes.plot(
            rows["x"], [level] * len(rows), GUTTER_MARKS.get(str(status), "x"), ls="",
            color=look.colour, ms=5.5, transform=axes.get_xaxis_transform(),
        ))  # fmt: skip


def _whiskers(rows: pd.DataFrame, centre: str, low: str, high: str) -> NDArray[np.float64]:
    """Distances from the centre to low and high, shape (2, rows); 0 without an interval."""
    down, up = rows[centre] - rows[low], rows[high] - rows[centre]
    distances: NDArray[np.float64] = np.array([down, up], float).clip(min=0)
    return np.nan_to_num(distances)


def mark_crossovers(
    axes: Axes, crossovers: Mapping[Crossover, str],
    height: Callable[[Crossover, float], float], view: View,
    write: Callable[[float], str] = lambda size: format_size(size, 2),
) -> None:  # fmt: skip
    """Draw a ring at each crossover, with a bar for its interval and its size as a number.

    ``crossovers`` gives the series of each crossover, and ``height`` the height of its line at a
    size. Crossovers at one place share a ring, which then belongs to no series. A number that
    would cover another is left out.
    """
    points = axes.transData + Affine2D().scale(72 / axes.figure.dpi)
    bottom = axes.bbox.y0 * 72 / axes.figure.dpi
    ringed: list[Any] = []
    owners: list[tuple[set[str], list[Any]]] = []
    for crossover, name in crossovers.items():
        size, low, high, _ = crossover
        place = points.transform((size, height(crossover, size)))
        distances = [np.abs(place - other) for other in ringed]
        same = [number for number, pair in enumerate(distances) if (pair < _RING).all()]
        for number in same:
            owners[number][0].add(name)
        if same:
            continue
        ringed.append(place)
        look: Any = {"color": view.theme.muted, "zorder": 5}
        artists: list[Any] = []
        owners.append(({name}, artists))
        artists += axes.plot([size], [height(crossover, size)], "o", mfc="none", ms=_RING, **look)
        if low == low:
            ends = [low, high]
            heights = [height(crossover, end) for end in ends]
            artists += axes.plot(ends, heights, "|-", lw=2.5, **look)
        if all((distance >= _NUMBER).any() for distance in distances):
            artists.append(axes.annotate(
                write(size), (size, height(crossover, size)),
                xytext=(7, -11) if place[1] - bottom > 2 * _RING else (7, 4), size=8,
                textcoords="offset points", bbox={
                    "facecolor": view.theme.background, "edgecolor": "none", "pad": 0.6,
                    "alpha": 0.7,
                }, **look,
            ))  # fmt: skip
    for names, artists in owners:
        if len(names) == 1:
            belongs_to(names.pop(), artists)


def _explain(table: pd.DataFrame, values: pd.DataFrame, hollow: str) -> str:
    """Say what each kind of mark means, for the kinds that are in the chart."""
    shown = ~is_control(table) & table["implementation"].isin(slowest_first(table))
    rows = table[shown].join(values)
    kinds = []
    if rows["low"].notna().any():
        over = " over passes" if table["passes"].max() > 1 else ""
        kinds.append(f"filled: measured, with its {interval_word(table['passes'].max())}{over}")
    elif rows["value"].notna().any():
        kinds.append("filled: measured once, so without an interval")
    if (rows["value"].notna() & ~is_credible(rows)).any():
        kinds.append("crossed out: measured, but faster than this machine can be")
    if rows["guess"].notna().any():
        kinds.append(f"hollow and dotted: {hollow}")
    absent = set(rows.loc[rows["value"].isna() & rows["guess"].isna(), "status"])
    shapes = {"x": "cross", "X": "filled cross", "*": "star", "_": "dash"}
    kinds += [
        f"{shapes[GUTTER_MARKS[status]]} at the top: {status}"
        for status in GUTTER_MARKS
        if status in absent and GUTTER_MARKS[status] in shapes
    ]
    if absent & {"measured", "estimated"}:
        kinds.append(f"plus at the top: no ratio, since {baseline_of(table)} has no time there")
    return "; ".join(kinds)
