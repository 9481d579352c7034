"""Tables to draw, and what is found in a drawn chart."""

import matplotlib
from matplotlib.lines import Line2D

from builders.tables import BASE, FAST, SLOW, TOO_LONG, make, passes
from forwardbench.outputs.charts.drawing.figure import SERIES

BY_SIZE = ("time", "speedup", "cost")
SETTINGS = (("float64", 1), ("float64", 2), ("float32", 1), ("float32", 2))
HOSTILE = ("<script>$x^2$&amp;", "a" * 200, "名前の長い実装" * 6, 'two "words"', "]]>\\frac")


def statuses():
    """A table with every status, each of another implementation, and a doubted time."""
    times = {
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


def texts(figure):
    """Every text that is shown; axes make theirs only when they are drawn."""
    figure.draw_without_rendering()
    return [
        each.get_text()
        for each in figure.findobj(matplotlib.text.Text)
        if each.get_text() and each.get_visible()
    ]


def words(figure):
    """All texts in one line, as if they were not broken."""
    return " ".join(" ".join(texts(figure)).split())


def lines_of(figure, series):
    """The lines that belong to one series."""
    return [line for line in figure.findobj(Line2D) if line.get_gid() == SERIES + series]


def marks(figure, series):
    """Marker, face colour and x values of every set of marks of one series in its panel."""
    for line in lines_of(figure, series):
        if line.get_marker() not in (None, "None", "") and len(line.get_xdata()):
            yield line.get_marker(), line.get_markerfacecolor(), list(line.get_xdata())
