"""The figure of a chart: panels, the texts around them, and the values of the marks."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from forwardbench.outputs.charts.drawing import settings
from forwardbench.outputs.charts.drawing.text import cut, fold
from forwardbench.outputs.charts.drawing.view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

SERIES = "series:"
"""Prefix of the SVG identifier of everything that belongs to one series."""
PANEL = "panel:"
"""Prefix of the SVG identifier of a panel."""

SVG_RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "forwardbench",  # the same chart is the same file
}

COLUMNS = 3
"""Panels side by side in a grid."""

# Lengths in inches, type sizes in points.
EDGE = 0.15
_TITLE_LINE, _TITLE_SIZE = 0.235, 13
_LINE, _SIZE = 0.195, 10
_NOTE_LINE, _NOTE_SIZE = 0.145, 7.5
_GAP = 0.08
_FIRST_LINE = 0.93
"""The distance between two lines at Matplotlib's line spacing of 1, in type sizes."""


@dataclass(frozen=True)
class Point:
    """A mark whose value a reader can look up."""

    series: str
    text: str
    """The value, in a sentence."""
    axes: Axes
    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """Sizes of panels and of the space around each, in inches."""

    width: float = 3.4
    height: float = 3.6
    left: float = 0.9
    right: float = 2.0
    """Space beside each panel, for labels."""
    above: float = 0.25
    """Space above each row of panels."""
    below: float = 0.55
    share_x: bool = True
    share_y: bool = True


class Chart(Figure):
    """A figure that knows the values of its marks."""

    def __init__(self, width: float, height: float, title: str) -> None:
        super().__init__(figsize=(width, height))
        self.title = title
        self.points: list[Point] = []
        self.panels: list[tuple[Axes, Bbox]] = []
        """Each panel, and its rectangle with the labels, in inches."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw everything, without a warning for each letter that the font shows as a box."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph ")
            super().draw(renderer)

    @cached_property
    def svg(self) -> str:
        """The chart as SVG; rendered once, because files and the page both use it."""
        text = io.StringIO()
        with settings(SVG_RC):
            self.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()


def make_chart(
    shape: tuple[int, int],
    layout: Layout,
    view: View,
    title: str,
    subtitle: str,
    notes: Sequence[str],
) -> tuple[Chart, list[list[Axes]]]:
    """Make a figure with rows and columns of panels that share their axes, and write its texts.

    Lines are broken here and not by Matplotlib, so that their height is known.
    """
    rows, columns = shape
    width = 2 * EDGE + columns * (layout.left + layout.width + layout.right)
    inner = width - 2 * EDGE
    words = [cut(word, inner / 2, _TITLE_SIZE, bold=True) for word in title.split(" ")]
    titles = fold(" ".join(words), inner, _TITLE_SIZE, bold=True)
    subtitles = fold(subtitle, inner, _SIZE)
    lines = [part for note in notes for part in fold(note, inner, _NOTE_SIZE)]
    head = EDGE + _TITLE_LINE * len(titles) + _GAP + _LINE * len(subtitles)
    foot = EDGE + _NOTE_LINE * len(lines) + (_GAP if lines else 0)
    pitch = layout.above + layout.height + layout.below
    height = head + rows * pitch + foot
    chart = Chart(width, height, title)
    all_axes = chart.subplots(
        rows, columns, sharex=layout.share_x, sharey=layout.share_y, squeeze=False,
        gridspec_kw={
            "left": (EDGE + layout.left) / width,
            "right": 1 - (EDGE + layout.right) / width,
            "wspace": (layout.left + layout.right) / layout.width,
            "top": 1 - (head + layout.above) / height,
            "bottom": (foot + layout.below) / height,
            "hspace": (layout.above + layout.below) / layout.height,
        },
    )  # fmt: skip
    for number, axes in enumerate(all_axes.flat):
        axes.tick_params(labelbottom=True, labelleft=True)  # the page shows each panel alone
        axes.set_gid(f"{PANEL}{number}")
    chart.panels = _crop(list(all_axes.flat), layout)
    muted: Any = {"color": view.theme.muted}
    _write(chart, titles, height - EDGE, _TITLE_LINE, size=_TITLE_SIZE, weight="bold")
    below = height - head + _LINE * len(subtitles)
    _write(chart, subtitles, below, _LINE, size=_SIZE, **muted)
    _write(chart, lines, EDGE + _NOTE_LINE * len(lines), _NOTE_LINE, size=_NOTE_SIZE, **muted)
    return chart, [list(row) for row in all_axes]


def make_grid(
    count: int, layout: Layout, view: View, title: str, subtitle: str, notes: Sequence[str],
    *, beside: int = COLUMNS,
) -> tuple[Chart, list[Axes]]:  # fmt: skip
    """Make a figure of ``count`` panels, with at most ``beside`` of them in a row."""
    columns = min(beside, max(1, count))
    shape = max(1, math.ceil(count / columns)), columns
    chart, grid = make_chart(shape, layout, view, title, subtitle, notes)
    panels = [axes for line in grid for axes in line]
    for axes in panels[count:]:
        axes.set_visible(False)
    return chart, panels[:count]


def _write(chart: Chart, lines: Sequence[str], top: float, pitch: float, **look: Any) -> None:
    """Write lines at the left edge of a figure; top and pitch are in inches."""
    width, height = chart.get_size_inches()
    spacing = pitch * 72 / (_FIRST_LINE * look["size"])
    chart.text(EDGE / width, top / height, "\n".join(lines), va="top", linespacing=spacing, **look)


def _crop(panels: list[Axes], layout: Layout) -> list[tuple[Axes, Bbox]]:
    """The rectangle of each panel with the space around it, in inches."""
    cropped = []
    for axes in panels:
        inches = axes.bbox.transformed(axes.figure.dpi_scale_trans.inverted())
        left, bottom = inches.x0 - layout.left, inches.y0 - layout.below
        right, top = inches.x1 + layout.right, inches.y1 + layout.above
        cropped.append((axes, Bbox([[left, bottom], [right, top]])))
    return cropped


def belongs_to(series: str, artists: Iterable[Artist]) -> None:
    """Mark artists as parts of one series, which the page can hide."""
    for artist in artists:
        artist.set_gid(SERIES + series)
