"""The look of every chart: type, markers, the axis of sizes, labels beside lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import pandas as pd

from forwardbench.analysis.findings import baseline_of
from forwardbench.analysis.rows import size_axis, sizes, slowest_first, work
from forwardbench.errors import UserError
from forwardbench.outputs.charts.drawing.figure import SVG_RC, belongs_to
from forwardbench.outputs.charts.drawing.text import cut, tilt, width
from forwardbench.outputs.charts.drawing.view import Theme, View
from forwardbench.units import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D")
BASELINE_MARKER = "v"
DASHES: tuple[Any, ...] = ((0, ()), (0, (6, 2)), (0, (3, 1.5)), (0, (6, 2, 1.5, 2)))
GUTTER_MARKS = {
    "measured": "+", "estimated": "+", "skipped": "x", "rejected": "X", "failed": "*",
    "unavailable": "_",
}  # fmt: skip
"""Marks at the top of a panel for cells without a value, by status. Where the baseline has no
time, measured and estimated cells have no ratio."""

TICK_SIZE = 8.0
"""Type size along an axis of sizes, in points."""

RC: Any = {
    **SVG_RC,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelsize": 9,
    "grid.linewidth": 0.6,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "hatch.linewidth": 0.6,
    "text.parse_math": False,  # a name with dollar signs is a name
    "pdf.fonttype": 42,  # text that can be searched and copied
}

LABEL_SIZE = 9.0
NAME_ROOM = 1.7
"""Width for a series' name beside a panel, in inches."""
_LABEL_POINTS = 12.5
"""Distance between two labels beside a panel, in points."""
_CASE_PITCH = 0.28
"""Inches between two cases side by side."""
_LABEL_LINE = 0.22
"""Height of the name of an axis, in inches."""
_PAD = 0.07
"""Inches between an axis and its numbers."""


@dataclass(frozen=True)
class Look:
    """How one series is drawn."""

    colour: str
    marker: str
    dash: Any


def share_out(table: pd.DataFrame, theme: Theme) -> list[dict[str, Look]]:
    """Divide the series among panels, slowest first, with the baseline in each panel.

    More than five lines in one panel cannot be told apart by colour. Inside a panel the looks
    follow the names, so that two series of almost equal speed do not swap looks between runs.
    """
    baseline = baseline_of(table)
    order = slowest_first(table)
    others = [name for name in order if name != baseline]
    count = max(1, -(-len(others) // len(theme.series)))
    share = -(-len(others) // count)
    groups = [sorted(others[i * share : (i + 1) * share]) for i in range(count)]
    styles = [Look(*look) for look in zip(theme.series, MARKERS, DASHES, strict=True)]
    base = {baseline: Look(theme.baseline, BASELINE_MARKER, "-")} if baseline in order else {}
    return [base | dict(zip(group, styles, strict=False)) for group in groups]


def is_numeric(table: pd.DataFrame, view: View) -> bool:
    """Whether the horizontal axis has numbers; otherwise cases stand side by side."""
    return view.x != "size" or bool(size_axis(table))


def positions(table: pd.DataFrame, view: View) -> pd.Series[float]:
    """The position of each row on the horizontal axis: a number, or the rank of its work."""
    if view.x == "batch":
        return table["batch"].astype(float)
    if view.x == "multiply-adds":
        return work(table)
    if is_numeric(table, view):
        return sizes(table)
    # Unrelated cases stand side by side; cases of equal work have different positions.
    cases = pd.DataFrame({"work": work(table), "case": table["case"] + table["activation"]})
    order = cases.drop_duplicates("case").sort_values(["work", "case"])["case"].tolist()
    return cases["case"].map({case: float(rank) for rank, case in enumerate(order)})


def check_axis(table: pd.DataFrame, view: View) -> None:
    """Refuse an axis along which nothing grows; raises `UserError`."""
    if view.x == "batch" and table["batch"].nunique() == 1 and table["case"].nunique() > 1:
        raise UserError(
            f"every case of {table['sweep'].iloc[0]} has batch {table['batch'].iloc[0]}: choose "
            "--x size or --x multiply-adds"
        )


@dataclass(frozen=True)
class SizeAxis:
    """A horizontal axis, planned before the figure is made, because its labels need space."""

    name: str
    numeric: bool
    ticks: list[float]
    labels: list[str]
    ends: tuple[float, float]
    rotation: int
    width: float
    """Width of the panel, in inches."""
    labels_height: float

    @property
    def room(self) -> float:
        """Height of the numbers and the name below the panel, in inches."""
        return _PAD + self.labels_height + _LABEL_LINE + 0.1

    def scale(self, axes: Axes) -> None:
        """Scale the axis through one of the panels, which share it."""
        if self.numeric:
            axes.set_xscale("log", base=2)
        axes.set_xlim(*self.ends)
        axes.set_xticks(self.ticks, self.labels)
        axes.minorticks_off()

    def label(self, axes: Axes, height: float) -> None:
        """Name a panel's axis; ``height`` is the panel's, in inches."""
        turn_labels(axes, self.rotation)
        name_below(axes, self.name, self.labels_height, height)


def plan_axis(table: pd.DataFrame, view: View, panel: float, left: float) -> SizeAxis:
    """Plan an axis for a panel of width ``panel`` with the space ``left`` beside it, in inches."""
    places = positions(table, view)
    ticks = sorted(set(places))
    name = axis_name(table, view)
    if is_numeric(table, view):
        reach = max(ticks[-1] / ticks[0], 1.0) if len(ticks) > 1 else 4.0
        ends = ticks[0] / reach**0.06, ticks[-1] * reach**0.06
        labels = _thin([format_count(tick) for tick in ticks], ticks, ends, panel)
        return SizeAxis(name, True, ticks, labels, ends, 0, panel, TICK_SIZE / 60)
    panel = max(panel, _CASE_PITCH * len(ticks))
    cases = dict(zip(places, table["case"], strict=True))
    labels = [cut(cases[tick], NAME_ROOM, TICK_SIZE) for tick in ticks]
    pitch = panel / len(ticks)
    rotation, height = tilt(labels, TICK_SIZE, pitch, left + pitch / 2)
    return SizeAxis(name, False, ticks, labels, (-0.5, ticks[-1] + 0.5), rotation, panel, height)


def _thin(
    labels: list[str], ticks: list[float], ends: tuple[float, float], panel: float
) -> list[str]:
    """Leave out numbers that would touch others. The largest stays, and all ticks keep a line."""
    kept, free = [""] * len(ticks), float("inf")
    for index in range(len(ticks) - 1, -1, -1):
        place = panel * log(ticks[index] / ends[0]) / log(ends[1] / ends[0])
        half = width(labels[index], TICK_SIZE) / 2
        if place + half < free:
            kept[index], free = labels[index], place - half - 0.06
    return kept


def turn_labels(axes: Axes, rotation: int) -> None:
    """Turn the labels of the horizontal axis so that their ends stay below their ticks."""
    if rotation:
        for label in axes.get_xticklabels():
            across = "center" if rotation == 90 else "top"
            label.set(rotation=rotation, ha="right", va=across, rotation_mode="anchor")


def name_below(axes: Axes, name: str, labels_height: float, height: float) -> None:
    """Name the horizontal axis below its labels; heights are in inches.

    Matplotlib would measure the labels of all panels to find the position.
    """
    axes.set_xlabel(name, loc="left", va="top")
    axes.xaxis.set_label_coords(0, -(_PAD + labels_height + 0.05) / height)


def axis_name(table: pd.DataFrame, view: View) -> str:
    """Name the horizontal axis."""
    if view.x == "multiply-adds":
        return "multiply-adds a call"
    if not is_numeric(table, view):
        return "case, by multiply-adds"
    sweep = str(table["sweep"].iloc[0])
    if view.x == "size" and sweep == "square":
        return "batch = inputs = units"
    if view.x == "size" and size_axis(table) == "inputs":
        return "inputs = units"
    return "batch (examples)"


def label_ends(axes: Axes, ends: dict[str, tuple[float, float]], looks: dict[str, Look]) -> None:
    """Write each series' name at the right of the axes, beside the end of its line.

    ``ends`` holds the last x and y of each series, as shares of the axes. Names are moved
    apart where they would overlap.
    """
    names = sorted(ends, key=lambda name: ends[name][1])
    height = axes.bbox.height * 72 / axes.figure.dpi  # in points
    placed = spread([ends[name][1] * height for name in names], _LABEL_POINTS, 0, height)
    for name, place in zip(names, placed, strict=True):
        look, (x, y) = looks[name], (1.03, place / height)
        beside: Any = {"color": look.colour, "transform": axes.transAxes, "clip_on": False}
        leave = min(max(ends[name][1], 0.0), 1.0)  # a line may end outside
        drawn = axes.plot([ends[name][0], x], [leave, y], lw=0.5, alpha=0.6, **beside)
        drawn += axes.plot([x], [y], look.marker, ms=5, **beside)
        text = axes.annotate(
            shortened(name), (x, y), xycoords="axes fraction", xytext=(6, 0),
            size=LABEL_SIZE, textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip
        belongs_to(name, [*drawn, text])


def shortened(name: str) -> str:
    """Cut a name to the space beside a panel."""
    return cut(name, NAME_ROOM, LABEL_SIZE)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move sorted heights apart to at least ``gap``, between low and high where they fit.

    They move as little as possible: heights that are too close stay around their mean.
    """
    groups: list[list[float]] = []  # heights minus the gaps below them; the groups' means grow
    for index, height in enumerate(wanted):
        groups.append([height - index * gap])
        while len(groups) > 1 and _mean(groups[-2]) > _mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    bases = [_mean(group) for group in groups for _ in group]
    top = high - gap * (len(wanted) - 1)
    return [min(max(base, low), top) + index * gap for index, base in enumerate(bases)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def ticks_around_one(reach: float) -> list[float]:
    """Three ticks for a logarithmic axis of ratios from 1 / ``reach`` to ``reach``."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 4.0, 9.0)
    inside = [step for step in steps if 1 + step <= reach]
    step = inside[-1] if inside else (reach - 1) / 2
    return [1 - step if step < 0.5 else 1 / (1 + step), 1.0, 1 + step]
