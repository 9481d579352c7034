"""How each status looks: what is known is drawn, what is not is said."""

import math

import numpy as np
import pytest

from builders.charts import (
    BY_SIZE,
    draw,
    ladder_chart,
    lines_of,
    marks,
    statuses,
    statuses_chart,
    texts,
    words,
)
from builders.tables import FAST, SLOW, make, passes, square
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import SERIES
from forwardbench.outputs.charts.drawing.view import DARK, LIGHT, View


@pytest.mark.parametrize("kind", BY_SIZE)
def test_measured_is_filled_and_estimated_is_hollow(kind):
    """The baseline: filled up to 256, hollow at 1024, with a dotted line between."""
    chart = ladder_chart(kind, View())
    found = list(marks(chart, "python_loops"))
    assert (style.BASELINE_MARKER, LIGHT.baseline, [1, 4, 16, 64, 256]) in found
    assert (style.BASELINE_MARKER, LIGHT.background, [1024]) in found
    dotted = [line for line in lines_of(chart, "python_loops") if line.get_linestyle() == ":"]
    assert [np.asarray(line.get_xdata()).tolist() for line in dotted] == [[256, 1024]]


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("skipped_one", "x"),
        ("rejected_one", "X"),
        ("failed_one", "*"),
        ("partly_unavailable", "_"),
    ],
)
@pytest.mark.parametrize("kind", BY_SIZE)
def test_a_cell_without_a_value_has_the_mark_of_its_status(kind, name, mark):
    """In the gutter, at its size."""
    chart = statuses_chart(kind, View())
    assert [256] in [x for marker, _, x in marks(chart, name) if marker == mark]


@pytest.mark.parametrize("kind", BY_SIZE)
@pytest.mark.parametrize("linear", [False, True])
def test_marks_in_the_gutter_lie_on_nothing(kind, linear):
    """Each series has a level of its own, above all values."""
    chart = statuses_chart(kind, View(linear=linear))
    for axes in chart.axes:
        gutter = [
            line
            for line in axes.lines
            if line.get_transform() == axes.get_xaxis_transform() and line.get_gid()
        ]
        levels = [np.asarray(line.get_ydata())[0] for line in gutter]
        assert len(levels) == len(set(levels))
        values = [
            axes.transAxes.inverted().transform(axes.transData.transform((1, y)))[1]
            for point in chart.points
            if point.axes is axes
            for y in [point.y]
        ]
        assert max(values) < min(levels, default=1)


@pytest.mark.parametrize("kind", BY_SIZE)
def test_a_doubted_time_is_crossed_out_and_joined_to_nothing(kind):
    """The line goes from one believed time to the next."""
    chart = statuses_chart(kind, View())
    found = list(marks(chart, "doubted_one"))
    assert ("x", [256]) in [(marker, x) for marker, _, x in found]
    joined = [
        np.asarray(line.get_xdata()).tolist()
        for line in lines_of(chart, "doubted_one")
        if line.get_linestyle() not in ("None", "none") and line.get_marker() not in ("None", None)
    ]
    assert [1, 4, 16, 64] in joined
    assert not any(256 in x for x in joined)


def test_the_heat_map_has_a_word_a_time_or_a_ratio_in_every_cell():
    """Skipped, rejected, failed and n/a are words; ~ is an estimate, ? doubt."""
    chart = statuses_chart("heatmap", View())
    (axes,) = chart.axes
    inside = [each.get_text() for each in axes.texts]
    assert len(inside) == len(statuses().table)
    assert {"skipped", "rejected", "failed"} <= set(inside)
    assert inside.count("n/a") == 6
    assert len([each for each in inside if each.startswith("~")]) == 1
    assert "500,000x?" in inside
    hatched = [each for each in axes.collections if each.get_hatch()]
    assert sum(len(each.get_paths()) for each in hatched) == inside.count("n/a") + 3


def test_the_heat_map_is_blue_where_faster_and_orange_where_slower():
    """White is 1x, in both themes, and text stands out from its cell."""
    for theme in (LIGHT, DARK):
        chart = ladder_chart("heatmap", View(theme=theme))
        boxes = [each for each in chart.axes[0].collections if not each.get_hatch()]
        rows = {each.get_gid(): np.asarray(each.get_facecolor()) for each in boxes}
        red, _, blue, _ = rows[f"{SERIES}matmul"][4]
        assert blue > red
        red, _, blue, _ = rows[f"{SERIES}ndarray_loops"][0]
        assert red > blue
        assert rows[f"{SERIES}python_loops"][0] == pytest.approx((1, 1, 1, 1), abs=0.01)


def test_no_difference_is_in_brackets():
    """A ratio whose interval includes 1."""
    times = {
        "python_loops": {square(1): [1.0, 1.0, 1.0]},
        "matmul": {square(1): [0.9, 1.0, 1.1]},
    }
    assert "(1.00x)" in texts(draw("heatmap", make(times)))


def test_without_a_baseline_there_are_times_but_no_ratios():
    """The speedup chart marks every cell and says why; the heat map shows the times."""
    whole = make({"matmul": passes(FAST), "other": passes(SLOW)})
    speedup = draw("speedup", whole)
    assert ("+", [1, 4, 16, 64, 256]) in [(mark, x) for mark, _, x in marks(speedup, "matmul")]
    assert "plus at the top: no ratio, since python_loops has no time there" in words(speedup)
    assert {"matmul", "other"} <= set(texts(speedup))
    assert {"1.00 ms", "40.1 ms"} <= set(texts(draw("heatmap", whole)))
    assert draw("time", whole).title.startswith("Fastest at every size: matmul")


def test_samples_show_every_pass():
    """One dot for each pass of each cell, at its distance from the centre."""
    chart = ladder_chart("samples", View())
    dots = [line for line in lines_of(chart, "matmul") if line.get_marker() == "o"]
    (own,) = dots
    distances = np.asarray(own.get_xdata())
    assert len(distances) == 3 * 6
    centre = math.log(1.01) * 2 / 3
    assert sorted(distances[:3]) == pytest.approx(
        [-centre, math.log(1.01) - centre, math.log(1.01) - centre]
    )
    assert len(chart.panels) == 6
    assert len([axes for axes in chart.axes if axes.get_visible()]) == 4
