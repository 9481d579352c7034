"""What is drawn, how, and what is found in a drawn chart."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from builders.tables import BASE, FAST, LADDER, SLOW, TOO_LONG, make, passes
from forwardbench.outputs import pictures
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.catalogue import chart_entries
from forwardbench.outputs.charts.drawing.figure import SERIES, Chart
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.outputs.pictures import Drawn

KINDS = [entry.name for entry in chart_entries() if entry.needs == "sweeps"]
"""The charts of one sweep."""

BY_SIZE = ("time", "speedup", "cost")
SETTINGS = (("float64", 1), ("float64", 2), ("float32", 1), ("float32", 2))
HOSTILE = ("<script>$x^2$&amp;", "a" * 200, "名前の長い実装" * 6, 'two "words"', "]]>\\frac")


def only(kind: str, bundle: Bundle, view: View | None = None) -> Drawn:
    """Draw the one chart of a kind that a bundle has."""
    (drawn,) = pictures.draw_all(bundle, [kind], view)
    return drawn


def draw(kind: str, bundle: Bundle, view: View | None = None) -> Chart:
    """Draw the one chart of a kind that a bundle has, without the words around it."""
    return only(kind, bundle, view).chart


@cache
def ladder_chart(kind: str, view: View) -> Chart:
    """The chart of `LADDER`, drawn once for all tests that only look at it."""
    return draw(kind, make(LADDER), view)


@cache
def statuses_chart(kind: str, view: View) -> Chart:
    """The chart of `statuses`, drawn once for all tests that only look at it."""
    return draw(kind, statuses(), view)


def statuses() -> Bundle:
    """Every status, each of another implementation, and a doubted time."""
    times: dict[str, dict[int, Any]] = {
        "python_loops": BASE,
        "estimated_one": {**FAST, 256: (*TOO_LONG, 2.0, 1.0, 3.0)},
        "skipped_one": {**SLOW, 256: TOO_LONG},
        "rejected_one": {**SLOW, 256: ("rejected", "wrong: expected 0.5, found 0.75")},
        "failed_one": {**SLOW, 256: ("failed", "ValueError: shapes do not fit")},
        "unavailable_one": dict.fromkeys(BASE, ("unavailable", "needs torch: pip install torch")),
        "doubted_one": {**FAST, 256: 1e-6},
        "partly_unavailable": {**SLOW, 256: ("unavailable", "needs a GPU")},
    }
    rows = {name: passes(row) for name, row in times.items()}
    return make(rows, ceilings={("float64", 1): (100.0, 1e13)})


def texts(figure: Figure) -> list[str]:
    """Every text that is shown; axes make theirs only when they are drawn."""
    figure.draw_without_rendering()
    return [
        each.get_text()
        for each in figure.findobj(matplotlib.text.Text)
        if each.get_text() and each.get_visible()
    ]


def words(figure: Figure) -> str:
    """All texts in one line, as if they were not broken."""
    return " ".join(" ".join(texts(figure)).split())


def lines_of(figure: Figure, series: str) -> list[Line2D]:
    """The lines that belong to one series."""
    return [line for line in figure.findobj(Line2D) if line.get_gid() == SERIES + series]


def marks(figure: Figure, series: str) -> Iterator[tuple[Any, Any, list[float]]]:
    """Marker, face colour and x values of every set of marks of one series in its panel."""
    for line in lines_of(figure, series):
        places = np.asarray(line.get_xdata(), float).tolist()
        if line.get_marker() not in (None, "None", "") and places:
            yield line.get_marker(), line.get_markerfacecolor(), places
