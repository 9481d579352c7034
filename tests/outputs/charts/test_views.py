"""Ways to look at a chart: theme, linear scale, another axis, several settings."""

import matplotlib
import numpy as np
import pytest
from matplotlib.lines import Line2D

from builders.charts import BY_SIZE, KINDS, SETTINGS, draw, ladder_chart, only, texts
from builders.tables import BASE, FAST, make, passes
from forwardbench.errors import UserError
from forwardbench.outputs import pictures
from forwardbench.outputs.charts.drawing.view import AXES, DARK, LIGHT, View


@pytest.mark.parametrize("kind", KINDS)
def test_dark_has_its_own_colours(kind):
    """Ground, text and lines; nothing keeps the colours of the light theme."""
    chart = ladder_chart(kind, View(theme=DARK))
    shown = {
        matplotlib.colors.to_hex(each.get_color()).upper()
        for each in chart.findobj(matplotlib.text.Text)
        if each.get_text()
    }
    inks = {DARK.text, DARK.muted} | ({"#212121", "#FEFEFE"} if kind == "heatmap" else set())
    assert shown <= inks
    assert matplotlib.colors.to_hex(chart.get_facecolor()).upper() == DARK.background
    colours = {matplotlib.colors.to_hex(line.get_color()).upper() for line in chart.findobj(Line2D)}
    assert not colours & {LIGHT.baseline, *LIGHT.series, LIGHT.grid}


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
             for c in matplotlib.colors.to_rgb(colour)]  # fmt: skip
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_stand_out_from_the_ground(theme):
    """Text at least 4.5 to 1 (WCAG AA), lines about 3 to 1."""
    ground = luminance(theme.background)

    def contrast(colour):
        dark, light = sorted([ground, luminance(colour)])
        return (light + 0.05) / (dark + 0.05)

    assert contrast(theme.text) >= 7
    assert contrast(theme.muted) >= 4.5
    assert all(contrast(colour) >= 2.7 for colour in (*theme.series, theme.baseline))


@pytest.mark.parametrize("kind", BY_SIZE)
def test_a_linear_scale_begins_at_zero(kind):
    """And has no logarithmic ticks."""
    (axes,) = ladder_chart(kind, View(linear=True)).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0
    assert axes.get_yticklabels()[0].get_text() == "0"
    (axes,) = ladder_chart(kind, View()).axes
    assert axes.get_yscale() == "log"


TICKS = {"size": [1, 4, 16], "batch": [1, 4, 16], "multiply-adds": [1, 64, 4096]}


@pytest.mark.parametrize("x", AXES)
@pytest.mark.parametrize("kind", BY_SIZE)
def test_what_is_along_the_axis_can_be_chosen(kind, x):
    """The same marks, at sizes, batches or multiply-adds."""
    rows = {1: 1e-6, 4: 1e-5, 16: 1e-4}
    whole = make({"python_loops": passes(rows), "matmul": passes(rows)})
    (axes,) = draw(kind, whole, View(x=x)).axes
    assert list(axes.get_xticks()) == TICKS[x]
    assert axes.get_xlabel() == {
        "size": "batch = inputs = units", "batch": "batch (examples)",
        "multiply-adds": "multiply-adds a call",
    }[x]  # fmt: skip


def test_a_chart_by_something_else_says_so_in_its_name(ladder, tmp_path):
    """Charts of several views can lie in one folder."""
    view = View(x="multiply-adds", theme=DARK)
    (path,) = pictures.save(only("time", ladder, view), tmp_path, ["svg"])
    assert path.name == "time-square-by-multiply-adds-dark.svg"


@pytest.mark.parametrize("kind", [*BY_SIZE, "heatmap"])
def test_an_axis_along_which_nothing_grows_is_refused(kind):
    """In the sweep of single examples every batch is 1: the error says what to choose."""
    times = {"python_loops": {"1x1-1": [1.0], "1x4-4": [1.0]}}
    with pytest.raises(UserError) as caught:
        draw(kind, make(times, sweep="sample"), View(x="batch"))
    assert str(caught.value) == (
        "every case of sample has batch 1: choose --x size or --x multiply-adds"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_and_threads_are_small_multiples(kind):
    """A row of panels for each, with a heading; the title says which it is about."""
    whole = make({"python_loops": passes(BASE), "matmul": passes(FAST)}, settings=SETTINGS)
    chart = draw(kind, whole)
    shown = "\n".join(texts(chart)).splitlines()
    count = 2 if kind == "samples" else 1
    for setting in ("float64, 1 thread", "float64, 2 threads", "float32, 1 thread"):
        assert shown.count(setting) == count
    assert len([axes for axes in chart.axes if axes.get_visible()]) == 4 * count
    assert chart.title.startswith("float64, 1 thread: ")
