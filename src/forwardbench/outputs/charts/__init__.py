"""Charts, drawn from the table alone: one file a chart, ``draw(table) -> Figure``."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

import matplotlib
import pandas as pd

from forwardbench.analysis.crossovers import with_floors
from forwardbench.analysis.rows import is_control
from forwardbench.files import write_whole
from forwardbench.outputs.charts import (
    break_even,
    cost,
    forest,
    heatmap,
    history,
    samples,
    speedup,
    time,
)
from forwardbench.outputs.charts.drawing.figure import Chart
from forwardbench.outputs.charts.drawing.style import RC
from forwardbench.outputs.charts.drawing.view import AXES, DARK, LIGHT, View

if TYPE_CHECKING:
    from forwardbench.analysis.comparison import Comparison

__all__ = [
    "AXES",
    "DARK",
    "FORMATS",
    "KINDS",
    "LIGHT",
    "OF_SOME",
    "Drawn",
    "View",
    "draw",
    "draw_all",
    "draw_break_evens",
    "draw_forests",
    "draw_history",
    "draw_sweeps",
    "save",
    "without_collecting",
]

KINDS: dict[str, ModuleType] = {
    "time": time,
    "speedup": speedup,
    "cost": cost,
    "heatmap": heatmap,
    "samples": samples,
}
"""The catalogue, in teaching order."""
OF_SOME: dict[str, ModuleType] = {"break-even": break_even, "history": history}
"""Kinds that only some results have: those with first calls, and those of several commits."""
FORMATS = ("svg", "png", "pdf")


class Drawn(NamedTuple):
    """A chart of one sweep."""

    kind: str
    sweep: str
    chart: Chart
    alternative: str


def draw(kind: str, table: pd.DataFrame, view: View | None = None) -> Chart:
    """Draw one kind of chart of one sweep, in the suite's style."""
    view = view or View()
    with matplotlib.rc_context({**RC, **view.theme.rc}):
        chart: Chart = KINDS[kind].draw(table, view)
    return chart


def draw_sweeps(
    table: pd.DataFrame, kinds: Sequence[str] = tuple(KINDS), view: View | None = None
) -> Iterator[Drawn]:
    """Draw charts for every sweep of the table that has times."""
    for sweep, rows in with_floors(table).groupby("sweep", sort=False):
        if rows.loc[~is_control(rows), "seconds"].isna().all():
            continue
        for kind in kinds:
            chart = draw(kind, rows, view)
            yield Drawn(kind, str(sweep), chart, KINDS[kind].describe(rows, chart.title))


@contextmanager
def without_collecting() -> Iterator[None]:
    """Keep Python's collector of cycles away while figures are drawn and saved.

    It searches them over and over, finds nothing that is not in use, and takes a sixth of the
    time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def draw_history(tables: Sequence[pd.DataFrame], intervals: str, view: View | None = None) -> Drawn:
    """Draw the tables of several commits, oldest first; ``intervals`` says what theirs are."""
    view = view or View()
    table = pd.concat(tables, ignore_index=True)
    with matplotlib.rc_context({**RC, **view.theme.rc}):
        chart = history.draw(table, view, intervals)
    return Drawn("history", "commits", chart, history.describe(chart.title))


def draw_break_evens(found: pd.DataFrame, view: View | None = None) -> Iterator[Drawn]:
    """Draw first calls, a chart for each sweep; ``found`` is what `break_evens` made of them."""
    view = view or View()
    for sweep, rows in found.groupby("sweep", sort=False):
        if (rows["verdict"] == "").all():
            continue
        with matplotlib.rc_context({**RC, **view.theme.rc}):
            chart = break_even.draw(rows, view)
        yield Drawn("break-even", str(sweep), chart, break_even.describe(rows, chart.title))


def draw_forests(comparison: Comparison, about: str, view: View | None = None) -> Iterator[Drawn]:
    """Draw a comparison, a chart for each sweep that has a ratio."""
    view = view or View()
    known = comparison.cells[comparison.cells["ratio"].notna()]
    for sweep in known["sweep"].drop_duplicates():
        with matplotlib.rc_context({**RC, **view.theme.rc}):
            chart = forest.draw(comparison, str(sweep), about, view)
        yield Drawn("forest", str(sweep), chart, forest.describe(comparison, str(sweep)))


def draw_all(
    table: pd.DataFrame,
    folder: Path,
    kinds: Sequence[str] = tuple(KINDS),
    formats: Sequence[str] = ("svg", "png"),
    view: View | None = None,
) -> Iterator[Path]:
    """Draw charts for every sweep of the table that has times, and yield each file written."""
    for drawn in draw_sweeps(table, kinds, view):
        yield from save(drawn, folder, formats, view)


def save(
    drawn: Drawn,
    folder: Path,
    formats: Sequence[str] = ("svg", "png"),
    view: View | None = None,
) -> Iterator[Path]:
    """Write a chart, with its alternative text inside, in each format, and yield the files."""
    view = view or View()
    suffix = "" if view.x == "size" else f"-by-{view.x}"
    suffix += "-dark" if view.theme is DARK else ""
    folder.mkdir(parents=True, exist_ok=True)
    for extension in formats:
        path = folder / f"{drawn.kind}-{_file_name(drawn.sweep)}{suffix}.{extension}"
        if extension == "svg":
            write_whole(path, _name_for_screen_readers(drawn.chart.svg, drawn.alternative))
        else:
            with matplotlib.rc_context(RC):
                drawn.chart.savefig(path, **_options(extension, drawn.alternative))
        yield path


def _file_name(sweep: str) -> str:
    """A sweep's name as a file's; it may come from a foreign file and then needs a substitute."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in sweep)[:60]
    return plain if plain == sweep else f"{plain}-{zlib.crc32(sweep.encode()):08x}"


def _options(extension: str, alternative: str) -> dict[str, Any]:
    """What makes the same chart the same bytes, in each format."""
    if extension == "pdf":
        return {"metadata": {"CreationDate": None, "Subject": alternative}}
    # Little compression takes a third of the time and 5 % more room.
    return {
        "dpi": 200,
        "metadata": {"Description": alternative},
        "pil_kwargs": {"compress_level": 2},
    }


def _name_for_screen_readers(svg: str, alternative: str) -> str:
    """Give an SVG the role and title that make it one image with a text."""
    head, tag, rest = svg.partition("<svg ")
    attributes, end, body = rest.partition(">")
    return f'{head}{tag}role="img" {attributes}{end}\n <title>{escape(alternative)}</title>{body}'
