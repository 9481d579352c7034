"""All at a glance: implementation by size, every ratio printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba
from matplotlib.patches import Rectangle

from forwardbench.analysis import findings
from forwardbench.analysis.notation import doubted, estimated, with_words, write_ratio, write_time
from forwardbench.analysis.rows import is_control, is_doubted, slowest_first
from forwardbench.outputs.bundle import SweepPart
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import Chart, Layout, Point, belongs_to, make_chart
from forwardbench.outputs.charts.drawing.style import LABEL_SIZE, NAME_ROOM, TICK_SIZE
from forwardbench.outputs.charts.drawing.text import cut, tilt, width
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.units import format_count, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = 4
QUESTION = "Everything at a glance"
HELP = (
    "Blue is faster than the baseline, orange slower, white the same; the colour follows the "
    "logarithm of the ratio. In brackets: no difference shown. With ~ and slanted type: one of "
    "the two times was estimated. With a question mark: measured, but faster than this machine "
    "can be. A time: no ratio, since the baseline has no time there. Hatched: no time, and the "
    "word in the cell says why."
)
NEEDS = "sweeps"
SHAPE = "wide"
# None of these is a colour of a theme, because the page changes those in its dark theme. The
# number of colours is odd, so that there is a middle one.
_COLOURS = LinearSegmentedColormap.from_list("ratio", ["#C65200", "#FEFEFE", "#0071B1"], N=257)
_ON_LIGHT, _ON_DARK = "#212121", "#FEFEFE"
_WORDS = {"unavailable": "n/a"}
_TEXT_SIZE = 7.5
_ROW = 0.3
"""Inches of a row's height."""
_LEFT = 1.95


def title(part: SweepPart) -> str:
    """Give the smallest and the largest speedup."""
    return findings.overview(part.rows, part.evidence)


def draw(part: SweepPart, view: View) -> Chart:
    """Draw one sweep."""
    table = part.shown
    style.check_axis(table, view)
    cells = _cells(part, view)
    names = _order(cells)
    columns = cells.drop_duplicates("column").sort_values("column")
    numeric = style.is_numeric(table, view)
    labels = [
        format_count(row["place"]) if numeric else cut(row["case"], NAME_ROOM, TICK_SIZE)
        for _, row in columns.iterrows()
    ]
    widest = max(width(text, _TEXT_SIZE) for text in cells["text"])
    pitch = max(0.6, widest + 0.12, 3.4 / len(labels))
    rotation, height = tilt(labels, TICK_SIZE, pitch, _LEFT + pitch / 2)
    rows = list(findings.settings(table))
    layout = Layout(
        width=pitch * len(labels), height=_ROW * len(names), left=_LEFT, right=0.15,
        above=0.35 if len(rows) > 1 else 0.15, below=0.45 + height,
    )  # fmt: skip
    notes = [
        part.choice,
        *findings.problems(part.rows),
        HELP,
        findings.noise_sentence(part.rows),
        findings.caption(table),
    ]
    chart, grid = make_chart(
        (len(rows), 1), layout, view, title(part), findings.describe_sweep(table), notes
    )
    for (axes,), setting in zip(grid, rows, strict=True):
        if len(rows) > 1:
            axes.set_title(findings.name_setting(setting), loc="left", size=9)
        _frame(axes, names, labels)
        style.turn_labels(axes, rotation)
        style.name_below(axes, style.axis_name(table, view), height, layout.height)
        shown = cells[cells.index.isin(setting.index)]
        for name, row_cells in shown.groupby("implementation", sort=False):
            _draw_row(chart, axes, row_cells, names.index(str(name)), view)
    return chart


def _cells(part: SweepPart, view: View) -> pd.DataFrame:
    """What each cell shows: its column, ratio, shade from 0 to 1, and text."""
    table = part.shown
    cells = (
        with_words(part.rows)
        .loc[table.index]
        .assign(doubted=is_doubted(table), place=style.positions(table, view))
    )
    cells = cells[~is_control(table)].sort_values(["place", "case", "activation"], kind="stable")
    ratio = cells["speedup"].fillna(cells["guess"]).astype(float)
    logs = pd.Series(np.log(ratio), cells.index)
    known = logs[~cells["doubted"]].abs().dropna()  # an implausible ratio must not pale the others
    reach = max(float(known.max()) if len(known) else 0.0, np.log(2))
    cells = cells.assign(
        column=cells.groupby(["place", "case", "activation"], sort=False).ngroup(),
        ratio=ratio,
        shade=0.5 + 0.5 * (logs / reach).clip(-1, 1),
    )
    return cells.assign(text=[_cell_text(row) for _, row in cells.iterrows()])


def _order(cells: pd.DataFrame) -> list[str]:
    """Implementations: the baseline, the others from slow to fast, and those without a time."""
    baseline = findings.baseline_of(cells)
    timed = slowest_first(cells)
    rest = [name for name in timed if name != baseline]
    rest += sorted(set(cells["implementation"]) - set(timed) - {baseline})
    return [baseline, *rest] if baseline in set(cells["implementation"]) else rest


def _frame(axes: Axes, names: list[str], labels: list[str]) -> None:
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [style.shortened(name) for name in names], size=LABEL_SIZE)
    axes.set_xticks(range(len(labels)), labels, size=TICK_SIZE)
    axes.grid(visible=False)
    axes.tick_params(bottom=False, left=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_row(chart: Chart, axes: Axes, cells: pd.DataFrame, y: int, view: View) -> None:
    """Draw boxes, texts and points of one implementation."""
    theme = view.theme
    coloured = cells["ratio"].notna()
    colours = np.array(_COLOURS(cells["shade"].to_numpy(float)))
    colours[~coloured.to_numpy()] = to_rgba(theme.background)
    bare = (cells["seconds"].isna() & ~coloured).to_numpy()
    boxes = np.array([Rectangle((x - 0.5, y - 0.5), 1, 1) for x in cells["column"]])
    look: Any = {"edgecolor": theme.background, "lw": 1.5}
    artists: list[Any] = [PatchCollection(boxes[~bare], facecolor=colours[~bare], **look)]
    if bare.any():
        hatched = PatchCollection(boxes[bare], facecolor=theme.background, hatch="////", **look)
        artists.append(hatched)
    for artist in artists:
        axes.add_collection(artist)
    for (_, row), colour, empty in zip(cells.iterrows(), colours, bare, strict=True):
        ink = _ON_LIGHT if _luminance(colour) > 0.35 else _ON_DARK
        text = axes.text(
            row["column"], y, row["text"], ha="center", va="center", size=_TEXT_SIZE,
            color=ink if pd.notna(row["ratio"]) else theme.text,
            style="italic" if row["text"].startswith("~") else "normal",
        )  # fmt: skip
        if empty:
            text.set_bbox({"facecolor": theme.background, "edgecolor": "none", "pad": 1})
        artists.append(text)
        sentence = findings.describe_row(row) if pd.notna(row["seconds"]) else _absence(row)
        chart.points.append(Point(row["implementation"], sentence, axes, row["column"], y))
    belongs_to(str(cells["implementation"].iloc[0]), artists)


def _absence(row: pd.Series[Any]) -> str:
    reason = f", {row['reason']}" if row["reason"] else ""
    return f"{row['implementation']} at {row['case']}: {row['status']}{reason}"


def _cell_text(row: pd.Series[Any]) -> str:
    """The ratio, or else the time, or else the status that says why there is none."""
    if row["doubted"] and pd.notna(row["ratio"]):
        text = format_ratio(row["ratio"])
        return doubted(estimated(text) if pd.notna(row["guess"]) else text)
    return write_ratio(row) or write_time(row) or _WORDS.get(row["status"], str(row["status"]))


def _luminance(colour: Any) -> float:
    """Relative luminance of a colour (WCAG 2.2), from 0 to 1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


def describe(part: SweepPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return findings.describe(part.shown, "speedup", title, "Heat map")
