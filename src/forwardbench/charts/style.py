"""How every chart looks: colours, markers, type, and the text around the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from forwardbench.analysis import is_control, size_axis
from forwardbench.cases import parse_case
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


@dataclass(frozen=True)
class Look:
    """How one series is drawn."""

    colour: str
    marker: str
    dash: Any


def panels(table: pd.DataFrame) -> list[dict[str, Look]]:
    """Share the series out over small multiples, slowest first, the baseline in each.

    More than five lines in one panel cannot be told apart by colour.
    """
    baseline = baseline_of(table)
    shown = table[~is_control(table) & table["seconds"].notna()]
    # By the time on the largest case, estimated or not, that a series has.
    work = shown.assign(work=shown["case"].map(lambda case: parse_case(case).multiply_adds))
    largest = work.sort_values("work").groupby("implementation").tail(1)
    order = largest.sort_values(["work", "seconds"], ascending=False)["implementation"].tolist()
    others = [name for name in order if name != baseline]
    count = max(1, -(-len(others) // len(COLOURS)))
    share = -(-len(others) // count) if others else 0
    groups = [others[i * share : (i + 1) * share] for i in range(count)]
    styles = [Look(*look) for look in zip(COLOURS, MARKERS, DASHES, strict=True)]
    base = {baseline: Look(BASELINE_COLOUR, BASELINE_MARKER, "-")} if baseline in order else {}
    return [base | dict(zip(group, styles, strict=False)) for group in groups]


def make_figure(count: int) -> tuple[Figure, list[Axes]]:
    """Make a figure with room for title and caption, and panels that share their axes."""
    figure = Figure(figsize=(1.35 + 5.4 * count, 6.2))
    axes = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)[0]
    width = figure.get_figwidth()
    figure.subplots_adjust(left=0.95 / width, right=1 - 0.25 / width, wspace=0.08)
    return figure, list(axes)


def write_around(figure: Figure, title: str, subtitle: str, notes: Sequence[str]) -> None:
    """Write title and subtitle above the axes and the caption's lines below, and fit the axes.

    Lines are broken here rather than by Matplotlib, so that what follows knows their number.
    """
    inches = figure.get_figwidth()
    left, line = 0.15 / inches, 0.045
    titles = wrap(title, int(inches * 8.2))
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


def missing(table: pd.DataFrame) -> list[str]:
    """One line for each implementation that has no time at all, with the reason."""
    lines = []
    for name, rows in table[~is_control(table)].groupby("implementation", sort=False):
        if rows["seconds"].isna().all():
            first = rows.iloc[0]
            lines.append(f"{name}: {first['status']}: {first['reason']}"[:150])
    return lines


def set_size_axis(axes: Axes, table: pd.DataFrame, positions: pd.Series[float]) -> None:
    """Label the axis of sizes, leaving room at its right end for the direct labels."""
    sweep = str(table["sweep"].iloc[0])
    ticks = sorted(set(positions))
    low, high = ticks[0], ticks[-1]
    if size_axis(sweep):
        names = {"batch": "batch (examples)", "inputs": "inputs = units"}
        if sweep == "square":
            names["batch"] = "batch = inputs = units"
        axes.set_xscale("log", base=2)
        reach = max(high / low, 4.0)
        axes.set_xlim(low / reach**0.05, high * reach**0.42)
        axes.set_xlabel(names[size_axis(sweep)], loc="left")
        axes.set_xticks(ticks, [f"{int(tick):,}" for tick in ticks], size=8)
    else:
        axes.set_xlim(-0.5, high + 0.6 + 0.42 * max(high, 1))
        axes.set_xlabel("case, by multiply-adds", loc="left")
        cases = table.assign(position=positions).drop_duplicates("position")
        named = dict(zip(cases["position"], cases["case"], strict=True))
        axes.set_xticks(ticks, [named[tick] for tick in ticks], size=8)
    axes.minorticks_off()


def label_ends(axes: Axes, ends: dict[str, tuple[float, float]], looks: dict[str, Look]) -> None:
    """Write each series' name beside its last point, moved apart where they would overlap.

    ``ends`` holds the last x and y of each series, in data coordinates.
    """
    if not ends:
        return
    names = sorted(ends, key=lambda name: ends[name][1])
    to_display = axes.transData.transform
    dpi = axes.figure.dpi
    bottom, top = axes.transAxes.transform([(0, 0.01), (0, 0.99)])[:, 1] * 72 / dpi
    wanted = [to_display(ends[name])[1] * 72 / dpi for name in names]
    placed = spread(wanted, _LABEL_POINTS, bottom, top)
    right = max(to_display(end)[0] for end in ends.values()) * 72 / dpi + 16
    to_data = axes.transData.inverted().transform
    for name, height in zip(names, placed, strict=True):
        look = looks[name]
        x, y = to_data((right * dpi / 72, height * dpi / 72))
        axes.plot([ends[name][0], x], [ends[name][1], y], color=look.colour, lw=0.5, alpha=0.6)
        axes.plot([x], [y], look.marker, color=look.colour, ms=5, clip_on=False)
        axes.annotate(
            name, (x, y), xytext=(6, 0), textcoords="offset points", va="center", size=9,
            color=TEXT, annotation_clip=False, bbox={"fc": "white", "ec": "none", "pad": 1},
        )  # fmt: skip


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
