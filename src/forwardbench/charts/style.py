"""How every chart looks: colours, markers, type, and the text around the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from forwardbench.analysis import size_axis, slowest_first
from forwardbench.findings import baseline_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), told apart with every common colour blindness. Black is the baseline's.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
BASELINE_COLOUR = "#000000"
MARKERS = ("o", "s", "^", "D")
BASELINE_MARKER = "v"
DASHES: tuple[Any, ...] = ((0, ()), (0, (6, 2)), (0, (3, 1.5)), (0, (6, 2, 1.5, 2)))
TEXT = "#222222"
MUTED = "#666666"
GRID = "#DDDDDD"

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 10,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "text.parse_math": False,  # a name with dollar signs is a name
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "forwardbench",  # the same chart is the same file
}

_LABEL_POINTS = 12.5
"""Distance in points between two direct labels."""
_LABEL_LETTERS = 22
"""Letters of a direct label that fit beside a panel."""
_NUMBERED_TICKS = 7
"""Numbers that fit along a panel's axis of sizes."""
_TICK_LETTERS = 44
"""Letters that fit along a panel's axis of cases."""


@dataclass(frozen=True)
class Look:
    """How one series is drawn."""

    colour: str
    marker: str
    dash: Any


def panels(table: pd.DataFrame) -> list[dict[str, Look]]:
    """Share the series out over small multiples, slowest first, the baseline in each.

    More than five lines in one panel cannot be told apart by colour. Inside a panel looks
    go by name, so that two series of nearly one speed do not swap them from run to run.
    """
    baseline = baseline_of(table)
    order = slowest_first(table)
    others = [name for name in order if name != baseline]
    count = max(1, -(-len(others) // len(COLOURS)))
    share = -(-len(others) // count)
    groups = [sorted(others[i * share : (i + 1) * share]) for i in range(count)]
    styles = [Look(*look) for look in zip(COLOURS, MARKERS, DASHES, strict=True)]
    base = {baseline: Look(BASELINE_COLOUR, BASELINE_MARKER, "-")} if baseline in order else {}
    return [base | dict(zip(group, styles, strict=False)) for group in groups]


def make_figure(count: int) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels that share their axes, each with room for labels at its right."""
    left, axes_width, labels, right = 0.95, 3.7, 1.95, 0.1  # inches
    width = left + count * (axes_width + labels) + right
    figure = Figure(figsize=(width, 6.2))
    axes = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)[0]
    figure.subplots_adjust(
        left=left / width, right=1 - (labels + right) / width, wspace=labels / axes_width
    )
    return figure, list(axes)


def write_around(figure: Figure, title: str, subtitle: str, notes: Sequence[str]) -> None:
    """Write title and subtitle above the axes and the caption's lines below, and fit the axes.

    Lines are broken here rather than by Matplotlib, so that what follows knows their number.
    """
    inches = figure.get_figwidth()
    left, line = 0.15 / inches, 0.045
    titles = wrap(title, int(inches * 9.2))
    figure.text(left, 0.97, "\n".join(titles), size=13, weight="bold", va="top")
    top = 0.97 - line * len(titles) - 0.015
    figure.text(left, top, subtitle, size=10, color=MUTED, va="top")
    lines = [part for note in notes for part in wrap(note, int(inches * 16))]
    figure.text(left, 0.02, "\n".join(lines), size=7.5, color=MUTED, va="bottom", linespacing=1.4)
    figure.subplots_adjust(top=top - 0.075, bottom=0.13 + 0.027 * len(lines))


def caption(table: pd.DataFrame) -> str:
    """CPU, BLAS, threads, dtype, passes and commit, in one line."""
    threads = int(table["threads"].iloc[0])
    passes = int(table["passes"].max())
    parts = [
        str(table["machine"].iloc[0] or "machine not recorded"),
        "1 thread" if threads == 1 else f"{threads} threads",
        str(table["dtype"].iloc[0]),
        "1 pass" if passes == 1 else f"{passes} passes",
        f"commit {table['commit'].iloc[0]}" if table["commit"].iloc[0] else "",
    ]
    return "  |  ".join(part for part in parts if part)


def set_size_axis(axes: Axes, table: pd.DataFrame, positions: pd.Series[float]) -> None:
    """Scale and label the axis of sizes."""
    sweep = str(table["sweep"].iloc[0])
    ticks = sorted(set(positions))
    low, high = ticks[0], ticks[-1]
    if size_axis(sweep):
        names = {"batch": "batch (examples)", "inputs": "inputs = units"}
        if sweep == "square":
            names["batch"] = "batch = inputs = units"
        axes.set_xscale("log", base=2)
        reach = max(high / low, 4.0)
        axes.set_xlim(low / reach**0.05, high * reach**0.05)
        axes.set_xlabel(names[size_axis(sweep)], loc="left")
        # Every tick has its line; so many have a number that numbers do not touch.
        step = -(-len(ticks) // _NUMBERED_TICKS)
        numbered = set(ticks[::-1][::step])
        axes.set_xticks(ticks, [f"{int(t):,}" if t in numbered else "" for t in ticks], size=8)
    else:
        axes.set_xlim(-0.5, high + 0.5)
        axes.set_xlabel("case, by multiply-adds", loc="left")
        cases = table.assign(position=positions).drop_duplicates("position")
        named = dict(zip(cases["position"], cases["case"], strict=True))
        crowded = len(ticks) * max(map(len, named.values())) > _TICK_LETTERS
        axes.set_xticks(ticks, [named[tick] for tick in ticks], size=8)
        axes.tick_params("x", rotation=30 if crowded else 0)
    axes.minorticks_off()


def label_ends(axes: Axes, ends: dict[str, tuple[float, float]], looks: dict[str, Look]) -> None:
    """Write each series' name at the right of the axes, beside the end of its line.

    ``ends`` holds the last x and y of each series, in data coordinates. Names are moved
    apart where they would overlap.
    """
    to_axes = axes.transAxes.inverted().transform
    last = {name: to_axes(axes.transData.transform(end)) for name, end in ends.items()}
    names = sorted(last, key=lambda name: float(last[name][1]))
    height = axes.bbox.height * 72 / axes.figure.dpi  # in points
    placed = spread([last[name][1] * height for name in names], _LABEL_POINTS, 0, height)
    for name, place in zip(names, placed, strict=True):
        look, (x, y) = looks[name], (1.03, place / height)
        beside: Any = {"color": look.colour, "transform": axes.transAxes, "clip_on": False}
        axes.plot([last[name][0], x], [last[name][1], y], lw=0.5, alpha=0.6, **beside)
        axes.plot([x], [y], look.marker, ms=5, **beside)
        axes.annotate(
            shortened(name), (x, y), xycoords="axes fraction", xytext=(6, 0), size=9,
            textcoords="offset points", va="center", color=TEXT, annotation_clip=False,
        )  # fmt: skip


def shortened(name: str) -> str:
    """Cut a name to the room beside a panel."""
    return name if len(name) <= _LABEL_LETTERS else f"{name[: _LABEL_LETTERS - 3]}..."


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move sorted heights apart to at least ``gap``, inside low and high where they fit."""
    placed: list[float] = []
    for height in wanted:
        placed.append(max(height, placed[-1] + gap if placed else low))
    ceiling = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed
