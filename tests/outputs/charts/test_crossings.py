"""The noise floor and crossings, where only one kind of chart has them."""

import math

import matplotlib
import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from builders.charts import BY_SIZE, draw, ladder_chart, texts, words
from builders.tables import BASE, FAST, make, passes, square
from forwardbench.analysis.crossovers import changes_of_lead, crossovers
from forwardbench.analysis.noise import noise_floor
from forwardbench.outputs.charts.drawing.view import DARK, LIGHT, View


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_noise_floor_is_a_grey_band_around_one(ladder, theme):
    """Its height is that of the analysis, and it is explained."""
    floor = noise_floor(ladder.table)
    assert 1 < floor < 1.1
    chart = ladder_chart("speedup", View(theme=theme))
    (band,) = [
        patch for patch in chart.axes[0].patches
        if isinstance(patch, Rectangle)
        and math.isclose(patch.get_y(), 1 / floor)
        and math.isclose(patch.get_height(), floor - 1 / floor)
    ]  # fmt: skip
    assert matplotlib.colors.to_hex(band.get_facecolor()).upper() == theme.muted
    assert "grey band around 1x: the noise floor" in words(chart)


def test_without_a_control_there_is_no_band():
    """Nor is one explained."""
    chart = draw("speedup", make({"python_loops": passes(BASE), "matmul": passes(FAST)}))
    assert not chart.axes[0].patches
    assert "grey band" not in words(chart)


def rings(chart):
    """Where crossovers are marked, and the bars of their intervals."""
    grey = [line for line in chart.findobj(Line2D) if line.get_zorder() == 5]
    circles = [line for line in grey if line.get_marker() == "o"]
    bars = [list(line.get_xdata()) for line in grey if line.get_marker() == "|"]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in circles], bars


def test_the_speedup_chart_rings_who_crosses_the_baseline(ladder):
    """At 1x, with the interval, and its size in numbers."""
    (crossover,) = crossovers(ladder.table, ladder.evidence, "matmul", "python_loops")
    chart = ladder_chart("speedup", View())
    circles, bars = rings(chart)
    assert circles == [(pytest.approx(crossover.size), 1.0)]
    assert bars == [pytest.approx([crossover.low, crossover.high])]
    assert f"{crossover.size:.2g}" in texts(chart)
    assert "ring: a series crosses the baseline, with its interval" in words(chart)


def test_the_time_chart_rings_changes_of_lead(ladder):
    """On the line of who is overtaken; a crossing further back is none."""
    (change,) = changes_of_lead(ladder.table, ladder.evidence)
    assert (change.before, change.after) == ("python_loops", "matmul")
    chart = ladder_chart("time", View())
    ((size, height),), (bar,) = rings(chart)
    assert size == pytest.approx(change.crossover.size)
    assert bar == pytest.approx([change.crossover.low, change.crossover.high])
    assert 4e-6 < height < 1e-5
    assert "ring: where the lead changes, with its interval" in words(chart)
    assert rings(ladder_chart("cost", View())) == ([], [])


def test_without_a_crossover_there_is_no_ring():
    """Never is an answer too."""
    whole = make({"python_loops": passes(BASE), "matmul": passes({1: 1e-9, 4: 1e-9})})
    for kind in BY_SIZE:
        chart = draw(kind, whole)
        assert rings(chart) == ([], [])
        assert "ring:" not in words(chart)


def test_two_that_cross_at_one_place_have_one_ring():
    """And numbers at neighbouring rings do not lie on each other."""
    times = {"python_loops": passes(BASE)}
    times |= {f"fast_{i}": passes({s: t * (1 + i / 1000) for s, t in FAST.items()}) for i in (1, 2)}
    circles, _ = rings(draw("speedup", make(times)))
    assert len(circles) == 1


@pytest.mark.parametrize("kind", BY_SIZE)
def test_one_pass_has_no_intervals(kind):
    """Marks and lines, but neither bands nor bars."""
    whole = make({"python_loops": {square(1): [1.0], square(4): [9.0]}, "matmul": {
        square(1): [2.0], square(4): [2.0]}})  # fmt: skip
    chart = draw(kind, whole)
    assert not chart.axes[0].collections
    assert rings(chart)[1] == []
