"""Labels stay readable, whatever the table."""

import itertools
from functools import cache

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from builders.charts import BY_SIZE, HOSTILE, KINDS, SETTINGS, draw, statuses_chart, texts
from builders.tables import BASE, FAST, TOO_LONG, Times, make, passes, square
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.view import LIGHT, View


def drawn_texts(chart):
    """Every visible text with its place in pixels."""
    renderer = FigureCanvasAgg(chart).get_renderer()
    chart.draw(renderer)
    found = []
    for each in chart.findobj(matplotlib.text.Text):
        hidden = each.axes is not None and not each.axes.get_visible()
        if each.get_text().strip() and each.get_visible() and not hidden:
            found.append((each, each.get_window_extent(renderer)))
    return found


def assert_readable(chart):
    """No text overlaps another or leaves the figure; boxes of turned text say too little."""
    found = drawn_texts(chart)
    assert found
    for each, box in found:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= chart.bbox.x1 and box.y1 <= chart.bbox.y1
        assert inside, f"{each.get_text()!r} leaves the figure"
    for (a, a_box), (b, b_box) in itertools.combinations(found, 2):
        if a.get_rotation() == b.get_rotation() == 30:
            continue
        apart = (
            a_box.x1 <= b_box.x0 + 0.5 or b_box.x1 <= a_box.x0 + 0.5
            or a_box.y1 <= b_box.y0 + 0.5 or b_box.y1 <= a_box.y0 + 0.5
        )  # fmt: skip
        assert apart, f"{a.get_text()!r} overlaps {b.get_text()!r}"


@cache
def crowd(series, sizes, sweep):
    """Series that end at nearly one place; the last ones are missing at the largest size."""
    rng = np.random.default_rng(series * 100 + sizes)

    def case(number):
        if sweep == "mine":
            return f"64x{784 + number}-128-64-10"
        return square(1001 + number if sweep == "near" else 2**number)

    rows = {
        "python_loops" if i == 0 else f"implementation_{i:02}": {
            case(n): list(1e-6 * 3**n * (1 + i / 50 + n % 2) * np.exp(rng.normal(0, 0.02, 2)))
            if n < sizes - 1 or i < series - 2 or sizes == 1
            else TOO_LONG
            for n in range(sizes)
        }
        for i in range(series)
    }
    return make(rows, sweep="mine" if sweep == "mine" else "square")


CROWDS = [
    (1, 1, "square"), (2, 1, "square"), (2, 20, "square"), (3, 20, "near"), (4, 2, "square"),
    (5, 20, "mine"), (7, 5, "square"), (12, 1, "mine"), (12, 6, "square"), (12, 20, "square"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("series", "sizes", "sweep"), CROWDS)
def test_no_text_overlaps_or_leaves_the_figure(kind, series, sizes, sweep):
    """With 1 to 12 series and 1 to 20 sizes, far apart, near, or unrelated."""
    whole = crowd(series, sizes, sweep)
    chart = draw(kind, whole)
    assert_readable(chart)
    assert set(whole.table["implementation"]) <= set(texts(chart))


@pytest.mark.slow
@pytest.mark.parametrize("kind", BY_SIZE)
@pytest.mark.parametrize("view", [View(linear=True), View(x="multiply-adds"), View(x="batch")])
def test_other_views_are_readable_too(kind, view):
    """Linear, and along another axis."""
    assert_readable(draw(kind, crowd(5, 12, "square"), view))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_status_several_settings_and_long_names_are_readable(kind):
    """What takes most room: reasons, headings, names of any length."""
    assert_readable(statuses_chart(kind, View()))
    long = {"python_loops": passes(BASE)} | {name: passes(FAST) for name in HOSTILE}
    assert_readable(draw(kind, make(long, machine="A CPU with a long name " * 9)))
    named = {"b" * 80: passes(BASE), "c" * 80: passes(FAST)}
    assert_readable(draw(kind, make(named, baseline="b" * 80, settings=SETTINGS[1:3])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_charts_of_little_are_charts(kind):
    """One size and one pass; estimates only; a baseline without any time."""
    little: list[Times] = [
        {"matmul": {"4x4-4": [1e-6]}},
        {"python_loops": {"1x1-1": [1e-6], "512x512-512": (*TOO_LONG, 4.0, np.nan, np.nan)}},
        {"python_loops": {"1x1-1": (*TOO_LONG, 4.0, 3.0, 5.0)}},
        {"python_loops": {"4x4-4": ("failed", "no")}, "matmul": {"4x4-4": [1e-6, 2e-6]}},
    ]
    for times in little:
        assert_readable(draw(kind, make(times)))


def test_one_panel_never_holds_more_than_five_series():
    """Beyond five, small multiples; the baseline is in each."""
    times = {f"rung_{i:02}": {"1x1-1": [1e-5 * (i + 1)] * 2} for i in range(12)}
    panels = style.share_out(make(times, baseline="rung_00").table, LIGHT)
    assert [len(panel) for panel in panels] == [5, 5, 4]
    assert all("rung_00" in panel for panel in panels)
    assert len(set().union(*panels)) == 12
    for panel in panels:
        assert len({look.colour for look in panel.values()}) == len(panel)
        assert len({look.marker for look in panel.values()}) == len(panel)
