"""Charts: what is known is drawn, what is not is said, and labels stay readable."""

import hashlib
import itertools
import math
import xml.etree.ElementTree as ET
from functools import cache

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from tables import make, square

from forwardbench.analysis.crossovers import changes_of_lead, crossovers
from forwardbench.analysis.noise import noise_floor
from forwardbench.errors import UserError
from forwardbench.outputs import charts
from forwardbench.outputs.charts import DARK, LIGHT, View
from forwardbench.outputs.charts.drawing import scale, style, text
from forwardbench.outputs.charts.drawing.figure import PANEL, SERIES

BY_SIZE = ("time", "speedup", "cost")
TOO_LONG = ("skipped", "predicted 9 s a call, over the limit of 1 s")
SETTINGS = (("float64", 1), ("float64", 2), ("float32", 1), ("float32", 2))


def passes(row, factors=(1.0, 1.02, 0.99)):
    """Three passes of each time: size, then seconds, or what is there in place of one."""
    return {
        square(size): [each * factor for factor in factors] if isinstance(each, float) else each
        for size, each in row.items()
    }


BASE = {1: 1e-6, 4: 4e-6, 16: 2e-4, 64: 8e-3, 256: 0.5}
FAST = {1: 4e-6, 4: 4.5e-6, 16: 5e-6, 64: 2e-5, 256: 1e-3}
SLOW = {1: 5e-6, 4: 2e-5, 16: 1e-3, 64: 4e-2}
LADDER = {
    "python_loops": passes({**BASE, 1024: (*TOO_LONG, 32.0, 28.0, 36.0)}),
    "python_loops (control)": passes(BASE, (1.01, 1.02, 0.98)),
    "matmul": passes({**FAST, 1024: 0.04}, (1.0, 1.01, 1.01)),
    "ndarray_loops": passes({**SLOW, 256: TOO_LONG}),
}


@pytest.fixture
def table():
    """Measured, estimated and skipped cells side by side, and a control."""
    return make(LADDER)


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


# --- what is said --------------------------------------------------------------------------

SAID = {
    "time": (
        "Fastest: python_loops below 4.1",
        {"time a call", "1 us", "batch = inputs = units"},
        "hollow and dotted: estimated from a fit, never measured",
    ),
    "speedup": (
        "matmul is 498 times faster than python_loops at 256x256-256 (95 % interval 480 to 518, "
        "3 passes); slower than python_loops at sizes below 4.1",
        {"speedup over python_loops", "100x", "batch = inputs = units"},
        "hollow and dotted: one of the two times was estimated from a fit, not measured",
    ),
    "cost": (
        "A multiply-add takes 0.0375 ns in matmul at 1024x1024-1024, 29.9 ns in python_loops at "
        "256x256-256",
        {"time per multiply-add", "1 ns", "batch = inputs = units"},
        "falling: a fixed cost a call; high and flat: the interpreter; low and flat: arithmetic",
    ),
    "heatmap": (
        "From 0.200x (ndarray_loops at 1x1-1) to 498x (matmul at 256x256-256)",
        {"1,024", "batch = inputs = units", "498x", "skipped", "1.00x"},
        "In brackets: no difference shown",
    ),
    "samples": (
        "Half of all times are known to",
        {"passes, relative to their centre", "1x1-1", "0", "+2%", "skipped"},
        "The bar is the interval of the centre",
    ),
}


@pytest.mark.parametrize("kind", charts.KINDS)
def test_a_chart_says_what_it_shows(kind, table):
    """Title with the finding, subtitle with the setting, axes with units, marks, and caption."""
    title, shown, explained = SAID[kind]
    chart = charts.draw(kind, table)
    said = words(chart)
    assert chart.title.startswith(title)
    assert title in said
    assert "square: batch = inputs = units, from 1 to 1024; sigmoid" in said
    assert shown <= set(texts(chart))
    if kind in ("heatmap", "samples"):  # with a mark for what is only estimated
        assert any(each.startswith("~") for each in texts(chart))
    assert explained in said
    assert "Made-up CPU, 2 CPUs | float64, 1 thread | 3 passes | commit 0123456789" in said
    if kind != "samples":
        assert "Noise floor: of ratios of identical code, 95 % are expected within 2.5 %" in said


@pytest.mark.parametrize("kind", charts.KINDS)
def test_every_chart_has_a_question_a_help_and_an_alternative_text(kind, table):
    """What the report writes around it."""
    module = charts.KINDS[kind]
    assert module.QUESTION
    assert module.HELP.endswith(".")
    title = module.title(table)
    assert title == charts.draw(kind, table).title
    assert title in module.describe(table, title)
    form = {"heatmap": "Heat map", "samples": "Dot chart"}.get(kind, "Line chart")
    assert module.describe(table, title).startswith(f"{form} of ")


@pytest.mark.parametrize("kind", charts.KINDS)
def test_every_series_is_labelled(kind, table):
    """A label for each; a control is one in the chart of samples only."""
    shown = set(texts(charts.draw(kind, table)))
    assert {"python_loops", "matmul", "ndarray_loops"} <= shown
    assert ("python_loops (control)" in shown) == (kind == "samples")


@pytest.mark.parametrize("kind", BY_SIZE)
def test_the_legend_explains_the_marks_that_are_there_and_no_others(kind):
    """Filled, hollow and a mark by status."""
    said = words(charts.draw(kind, statuses()))
    assert "filled: measured, with its 95 % interval over passes" in said
    assert "crossed out: measured, but faster than this machine can be" in said
    for mark, status in {
        "cross": "skipped", "filled cross": "rejected", "star": "failed", "dash": "unavailable"
    }.items():  # fmt: skip
        assert f"{mark} at the top: {status}" in said
    plain = words(charts.draw(kind, make({"python_loops": {square(1): [1.0]}})))
    assert "filled: measured once, so without an interval" in plain
    assert "at the top" not in plain
    assert "hollow" not in plain
    assert "crossed out" not in plain


@pytest.mark.parametrize("kind", charts.KINDS)
def test_whoever_has_no_time_has_a_line_that_says_why(kind):
    """Nothing vanishes: not who failed, was rejected, is not installed, or is not believed."""
    said = words(charts.draw(kind, statuses()))
    for line in (
        "rejected_one: 1 cell rejected, first 256x256-256: wrong: expected 0.5, found 0.75",
        "failed_one: 1 cell failed, first 256x256-256: ValueError: shapes do not fit",
        "unavailable_one: 5 cells unavailable, first 1x1-1: needs torch: pip install torch",
        "doubted_one: 1 cell implausible, first 256x256-256: 33,446 GFLOP/s where",
    ):
        assert line in said


# --- how each status looks -----------------------------------------------------------------


@pytest.mark.parametrize("kind", BY_SIZE)
def test_measured_is_filled_and_estimated_is_hollow(kind, table):
    """The baseline: filled up to 256, hollow at 1024, with a dotted line between."""
    chart = charts.draw(kind, table)
    found = list(marks(chart, "python_loops"))
    assert (style.BASELINE_MARKER, LIGHT.baseline, [1, 4, 16, 64, 256]) in found
    assert (style.BASELINE_MARKER, LIGHT.background, [1024]) in found
    dotted = [line for line in lines_of(chart, "python_loops") if line.get_linestyle() == ":"]
    assert [list(line.get_xdata()) for line in dotted] == [[256, 1024]]


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
    chart = charts.draw(kind, statuses())
    assert [256] in [x for marker, _, x in marks(chart, name) if marker == mark]


@pytest.mark.parametrize("kind", BY_SIZE)
@pytest.mark.parametrize("linear", [False, True])
def test_marks_in_the_gutter_lie_on_nothing(kind, linear):
    """Each series has a level of its own, above all values."""
    chart = charts.draw(kind, statuses(), View(linear=linear))
    for axes in chart.axes:
        gutter = [
            line
            for line in axes.lines
            if line.get_transform() == axes.get_xaxis_transform() and line.get_gid()
        ]
        levels = [line.get_ydata()[0] for line in gutter]
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
    chart = charts.draw(kind, statuses())
    found = list(marks(chart, "doubted_one"))
    assert ("x", [256]) in [(marker, x) for marker, _, x in found]
    joined = [
        list(line.get_xdata())
        for line in lines_of(chart, "doubted_one")
        if line.get_linestyle() not in ("None", "none") and line.get_marker() not in ("None", None)
    ]
    assert [1, 4, 16, 64] in joined
    assert not any(256 in x for x in joined)


def test_the_heat_map_has_a_word_a_time_or_a_ratio_in_every_cell():
    """Skipped, rejected, failed and n/a are words; ~ is an estimate, ? doubt."""
    table = statuses()
    chart = charts.draw("heatmap", table)
    (axes,) = chart.axes
    inside = [each.get_text() for each in axes.texts]
    assert len(inside) == len(table)
    assert {"skipped", "rejected", "failed"} <= set(inside)
    assert inside.count("n/a") == 6
    assert len([each for each in inside if each.startswith("~")]) == 1
    assert "500,000x?" in inside
    hatched = [each for each in axes.collections if each.get_hatch()]
    assert sum(len(each.get_paths()) for each in hatched) == inside.count("n/a") + 3


def test_the_heat_map_is_blue_where_faster_and_orange_where_slower(table):
    """White is 1x, in both themes, and text stands out from its cell."""
    for theme in (LIGHT, DARK):
        chart = charts.draw("heatmap", table, View(theme=theme))
        boxes = [each for each in chart.axes[0].collections if not each.get_hatch()]
        rows = {each.get_gid(): each.get_facecolor() for each in boxes}
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
    assert "(1.00x)" in texts(charts.draw("heatmap", make(times)))


def test_without_a_baseline_there_are_times_but_no_ratios():
    """The speedup chart marks every cell and says why; the heat map shows the times."""
    table = make({"matmul": passes(FAST), "other": passes(SLOW)})
    speedup = charts.draw("speedup", table)
    assert ("+", [1, 4, 16, 64, 256]) in [(mark, x) for mark, _, x in marks(speedup, "matmul")]
    assert "plus at the top: no ratio, since python_loops has no time there" in words(speedup)
    assert {"matmul", "other"} <= set(texts(speedup))
    assert {"1.00 ms", "40.1 ms"} <= set(texts(charts.draw("heatmap", table)))
    assert charts.draw("time", table).title.startswith("Fastest at every size: matmul")


def test_samples_show_every_pass(table):
    """One dot for each pass of each cell, at its distance from the centre."""
    chart = charts.draw("samples", table)
    dots = [line for line in lines_of(chart, "matmul") if line.get_marker() == "o"]
    (own,) = dots
    assert len(own.get_xdata()) == 3 * 6
    centre = math.log(1.01) * 2 / 3
    assert sorted(own.get_xdata()[:3]) == pytest.approx(
        [-centre, math.log(1.01) - centre, math.log(1.01) - centre]
    )
    assert len(chart.panels) == 6
    assert len([axes for axes in chart.axes if axes.get_visible()]) == 4


# --- what only one kind has ----------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_noise_floor_is_a_grey_band_around_one(table, theme):
    """Its height is that of the analysis, and it is explained."""
    floor = noise_floor(table)
    assert 1 < floor < 1.1
    chart = charts.draw("speedup", table, View(theme=theme))
    (band,) = [
        patch for patch in chart.axes[0].patches
        if math.isclose(patch.get_y(), 1 / floor)
        and math.isclose(patch.get_height(), floor - 1 / floor)
    ]  # fmt: skip
    assert matplotlib.colors.to_hex(band.get_facecolor()).upper() == theme.muted
    assert "grey band around 1x: the noise floor" in words(chart)


def test_without_a_control_there_is_no_band():
    """Nor is one explained."""
    chart = charts.draw("speedup", make({"python_loops": passes(BASE), "matmul": passes(FAST)}))
    assert not chart.axes[0].patches
    assert "grey band" not in words(chart)


def rings(chart):
    """Where crossovers are marked, and the bars of their intervals."""
    grey = [line for line in chart.findobj(Line2D) if line.get_zorder() == 5]
    circles = [line for line in grey if line.get_marker() == "o"]
    bars = [list(line.get_xdata()) for line in grey if line.get_marker() == "|"]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in circles], bars


def test_the_speedup_chart_rings_who_crosses_the_baseline(table):
    """At 1x, with the interval, and its size in numbers."""
    (crossover,) = crossovers(table, "matmul", "python_loops")
    chart = charts.draw("speedup", table)
    circles, bars = rings(chart)
    assert circles == [(pytest.approx(crossover.size), 1.0)]
    assert bars == [pytest.approx([crossover.low, crossover.high])]
    assert f"{crossover.size:.2g}" in texts(chart)
    assert "ring: a series crosses the baseline, with its interval" in words(chart)


def test_the_time_chart_rings_changes_of_lead(table):
    """On the line of who is overtaken; a crossing further back is none."""
    (change,) = changes_of_lead(table)
    assert (change.before, change.after) == ("python_loops", "matmul")
    chart = charts.draw("time", table)
    ((size, height),), (bar,) = rings(chart)
    assert size == pytest.approx(change.crossover.size)
    assert bar == pytest.approx([change.crossover.low, change.crossover.high])
    assert 4e-6 < height < 1e-5
    assert "ring: where the lead changes, with its interval" in words(chart)
    assert rings(charts.draw("cost", table)) == ([], [])


def test_without_a_crossover_there_is_no_ring():
    """Never is an answer too."""
    table = make({"python_loops": passes(BASE), "matmul": passes({1: 1e-9, 4: 1e-9})})
    for kind in BY_SIZE:
        chart = charts.draw(kind, table)
        assert rings(chart) == ([], [])
        assert "ring:" not in words(chart)


def test_two_that_cross_at_one_place_have_one_ring():
    """And numbers at neighbouring rings do not lie on each other."""
    times = {"python_loops": passes(BASE)}
    times |= {f"fast_{i}": passes({s: t * (1 + i / 1000) for s, t in FAST.items()}) for i in (1, 2)}
    circles, _ = rings(charts.draw("speedup", make(times)))
    assert len(circles) == 1


@pytest.mark.parametrize("kind", BY_SIZE)
def test_one_pass_has_no_intervals(kind):
    """Marks and lines, but neither bands nor bars."""
    table = make({"python_loops": {square(1): [1.0], square(4): [9.0]}, "matmul": {
        square(1): [2.0], square(4): [2.0]}})  # fmt: skip
    chart = charts.draw(kind, table)
    assert not chart.axes[0].collections
    assert rings(chart)[1] == []


# --- ways to look at it --------------------------------------------------------------------


@pytest.mark.parametrize("kind", charts.KINDS)
def test_dark_has_its_own_colours(kind, table):
    """Ground, text and lines; nothing keeps the colours of the light theme."""
    chart = charts.draw(kind, table, View(theme=DARK))
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
def test_a_linear_scale_begins_at_zero(kind, table):
    """And has no logarithmic ticks."""
    (axes,) = charts.draw(kind, table, View(linear=True)).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0
    assert axes.get_yticklabels()[0].get_text() == "0"
    (axes,) = charts.draw(kind, table).axes
    assert axes.get_yscale() == "log"


AXES = {"size": [1, 4, 16], "batch": [1, 4, 16], "multiply-adds": [1, 64, 4096]}


@pytest.mark.parametrize("x", charts.AXES)
@pytest.mark.parametrize("kind", BY_SIZE)
def test_what_is_along_the_axis_can_be_chosen(kind, x):
    """The same marks, at sizes, batches or multiply-adds."""
    rows = {1: 1e-6, 4: 1e-5, 16: 1e-4}
    table = make({"python_loops": passes(rows), "matmul": passes(rows)})
    (axes,) = charts.draw(kind, table, View(x=x)).axes
    assert list(axes.get_xticks()) == AXES[x]
    assert axes.get_xlabel() == {
        "size": "batch = inputs = units", "batch": "batch (examples)",
        "multiply-adds": "multiply-adds a call",
    }[x]  # fmt: skip


def test_a_chart_by_something_else_says_so_in_its_name(table, tmp_path):
    """Charts of several views can lie in one folder."""
    view = View(x="multiply-adds", theme=DARK)
    (path,) = charts.draw_all(table, tmp_path, ["time"], ["svg"], view)
    assert path.name == "time-square-by-multiply-adds-dark.svg"


@pytest.mark.parametrize("kind", [*BY_SIZE, "heatmap"])
def test_an_axis_along_which_nothing_grows_is_refused(kind):
    """In the sweep of single examples every batch is 1: the error says what to choose."""
    times = {"python_loops": {"1x1-1": [1.0], "1x4-4": [1.0]}}
    with pytest.raises(UserError) as caught:
        charts.draw(kind, make(times, sweep="sample"), View(x="batch"))
    assert str(caught.value) == (
        "every case of sample has batch 1: choose --x size or --x multiply-adds"
    )


@pytest.mark.parametrize("kind", charts.KINDS)
def test_dtypes_and_threads_are_small_multiples(kind):
    """A row of panels for each, with a heading; the title says which it is about."""
    table = make({"python_loops": passes(BASE), "matmul": passes(FAST)}, settings=SETTINGS)
    chart = charts.draw(kind, table)
    shown = "\n".join(texts(chart)).splitlines()
    count = 2 if kind == "samples" else 1
    for setting in ("float64, 1 thread", "float64, 2 threads", "float32, 1 thread"):
        assert shown.count(setting) == count
    assert len([axes for axes in chart.axes if axes.get_visible()]) == 4 * count
    assert chart.title.startswith("float64, 1 thread: ")


# --- what a page does with it --------------------------------------------------------------


@pytest.mark.parametrize("kind", charts.KINDS)
@pytest.mark.parametrize("x", ["size", "multiply-adds"])
def test_points_lie_in_their_panels_and_say_value_and_interval(kind, x):
    """One for each cell with a value, inside its panel, in a sentence."""
    table = statuses()
    chart = charts.draw(kind, table, View(x=x))
    own = table[table["seconds"].notna()] if kind != "heatmap" else table
    if kind == "samples":
        own = table[table["status"] == "measured"]
    said = {
        (point.series, point.text.partition(",")[0].partition(":")[0]) for point in chart.points
    }
    assert said == {
        (row["implementation"], f"{row['implementation']} at {row['case']}")
        for _, row in own.iterrows()
    }
    for point in chart.points:
        x_, y_ = point.axes.transData.transform((point.x, point.y))
        assert point.axes.bbox.x0 - 1e-6 <= x_ <= point.axes.bbox.x1 + 1e-6
        assert point.axes.bbox.y0 - 1e-6 <= y_ <= point.axes.bbox.y1 + 1e-6
    (fast,) = [
        point.text for point in chart.points if point.text.startswith("estimated_one at 4x4-4,")
    ]
    assert "4.51 us, 95 % interval 4.35 us to 4.69 us" in fast
    assert "0.889x the speed of python_loops (0.889 to 0.889)" in fast
    if kind == "samples":
        assert fast.endswith("3 passes from -1.3 % to +1.7 %")


@pytest.mark.parametrize("kind", charts.KINDS)
def test_series_and_panels_have_names_in_the_svg(kind, table):
    """A page can find, show and hide them; panels take the room that is theirs."""
    chart = charts.draw(kind, table)
    ids = {node.get("id") for node in ET.fromstring(chart.svg).iter()}
    assert {f"{SERIES}{name}" for name in ("python_loops", "matmul", "ndarray_loops")} <= ids
    assert f"{PANEL}0" in ids
    width, height = chart.get_size_inches()
    for axes, room in chart.panels:
        inside = axes.bbox.transformed(chart.dpi_scale_trans.inverted())
        assert 0 <= room.x0 < inside.x0 < inside.x1 < room.x1 <= width
        assert 0 <= room.y0 < inside.y0 < inside.y1 < room.y1 <= height


# --- files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sweep", ["square", "course"])
def test_files_are_the_same_bytes_each_time(sweep, tmp_path):
    """SVG, PNG and PDF have the same hash for the same table, one file for each kind."""
    cases = ["1x1-1", "4x4-4"] if sweep == "square" else ["1x2-3", "10000x3-1"]
    times = {
        name: {case: [1e-6 * factor, 2e-6] for case in cases}
        for name, factor in (("python_loops", 1), ("matmul", 1.5))
    }
    digests = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        files = list(charts.draw_all(make(times, sweep=sweep), folder, formats=charts.FORMATS))
        assert [path.name for path in files] == [
            f"{kind}-{sweep}.{suffix}" for kind in charts.KINDS for suffix in charts.FORMATS
        ]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]


def test_each_sweep_with_times_has_its_charts(tmp_path):
    """A sweep of which nothing was measured has none."""
    import pandas as pd

    some = make({"python_loops": {"1x1-1": [1.0]}})
    none = make({"python_loops": {"1x1-1": ("failed", "no")}}, sweep="sample")
    files = charts.draw_all(pd.concat([some, none], ignore_index=True), tmp_path, ["time"], ["png"])
    assert [path.name for path in files] == ["time-square.png"]


@pytest.mark.parametrize("kind", charts.KINDS)
def test_an_svg_can_be_read_aloud(kind, table, tmp_path):
    """It has the role of an image and a title that says what is to be seen; its text is text."""
    (svg,) = charts.draw_all(table, tmp_path, [kind], ["svg"])
    root = ET.fromstring(svg.read_text())
    title = root.find("{http://www.w3.org/2000/svg}title").text
    assert root.get("role") == "img"
    assert title == charts.KINDS[kind].describe(table, charts.KINDS[kind].title(table))
    assert "ndarray_loops" in list(root.itertext())
    if kind != "samples":
        assert "matmul: 0.249x at 1x1-1, 498x at 256x256-256" in title


HOSTILE = ("<script>$x^2$&amp;", "a" * 200, "名前の長い実装" * 6, 'two "words"', "]]>\\frac")


@pytest.mark.parametrize("kind", charts.KINDS)
def test_hostile_names_stay_text(kind, tmp_path):
    """A name with markup or mathematics in it is shown as it is and breaks nothing."""
    times = {"python_loops": passes(BASE)} | {name: passes(FAST) for name in HOSTILE}
    svg, _, _ = charts.draw_all(make(times), tmp_path, [kind], charts.FORMATS)
    root = ET.fromstring(svg.read_text())
    shown = list(root.itertext())
    for name in (HOSTILE[0], HOSTILE[3], HOSTILE[4]):
        assert name in shown
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_a_letter_that_no_font_has_is_no_warning(recwarn, tmp_path):
    """It is a box in PNG and PDF, and text in SVG."""
    times = {"python_loops": {"1x1-1": [1.0]}, "名前": {"1x1-1": [1.0]}}
    list(charts.draw_all(make(times), tmp_path, ["time"], charts.FORMATS))
    assert not [each for each in recwarn if "Glyph" in str(each.message)]


# --- readable, whatever the table ----------------------------------------------------------


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


@pytest.mark.parametrize("kind", charts.KINDS)
@pytest.mark.parametrize(("series", "sizes", "sweep"), CROWDS)
def test_no_text_overlaps_or_leaves_the_figure(kind, series, sizes, sweep):
    """With 1 to 12 series and 1 to 20 sizes, far apart, near, or unrelated."""
    table = crowd(series, sizes, sweep)
    chart = charts.draw(kind, table)
    assert_readable(chart)
    assert set(table["implementation"]) <= set(texts(chart))


@pytest.mark.parametrize("kind", BY_SIZE)
@pytest.mark.parametrize("view", [View(linear=True), View(x="multiply-adds"), View(x="batch")])
def test_other_views_are_readable_too(kind, view):
    """Linear, and along another axis."""
    assert_readable(charts.draw(kind, crowd(5, 12, "square"), view))


@pytest.mark.parametrize("kind", charts.KINDS)
def test_every_status_several_settings_and_long_names_are_readable(kind):
    """What takes most room: reasons, headings, names of any length."""
    assert_readable(charts.draw(kind, statuses()))
    long = {"python_loops": passes(BASE)} | {name: passes(FAST) for name in HOSTILE}
    assert_readable(charts.draw(kind, make(long, machine="A CPU with a long name " * 9)))
    named = {"b" * 80: passes(BASE), "c" * 80: passes(FAST)}
    table = make(named, baseline="b" * 80, settings=SETTINGS[1:3])
    assert_readable(charts.draw(kind, table))


def test_a_long_name_leaves_room_for_the_finding():
    """In a title it is cut in the middle, so that what was found can be read."""
    table = make({"python_loops": passes(BASE, (1.0,)), "a" * 200: passes(FAST, (1.0,))})
    chart = charts.draw("heatmap", table)
    shown = " ".join(chart.texts[0].get_text().split())
    assert shown.startswith("From 0.250x (aaaaa")
    assert "to 500x (aaaaa" in shown
    assert shown.endswith("aaaaa at 256x256-256)")
    assert "a" * 200 in chart.title


@pytest.mark.parametrize("kind", charts.KINDS)
def test_charts_of_little_are_charts(kind):
    """One size and one pass; estimates only; a baseline without any time."""
    little = [
        {"matmul": {"4x4-4": [1e-6]}},
        {"python_loops": {"1x1-1": [1e-6], "512x512-512": (*TOO_LONG, 4.0, np.nan, np.nan)}},
        {"python_loops": {"1x1-1": (*TOO_LONG, 4.0, 3.0, 5.0)}},
        {"python_loops": {"4x4-4": ("failed", "no")}, "matmul": {"4x4-4": [1e-6, 2e-6]}},
    ]
    for times in little:
        assert_readable(charts.draw(kind, make(times)))


def test_one_panel_never_holds_more_than_five_series():
    """Beyond five, small multiples; the baseline is in each."""
    times = {f"rung_{i:02}": {"1x1-1": [1e-5 * (i + 1)] * 2} for i in range(12)}
    panels = style.share_out(make(times, baseline="rung_00"), LIGHT)
    assert [len(panel) for panel in panels] == [5, 5, 4]
    assert all("rung_00" in panel for panel in panels)
    assert len(set().union(*panels)) == 12
    for panel in panels:
        assert len({look.colour for look in panel.values()}) == len(panel)
        assert len({look.marker for look in panel.values()}) == len(panel)


# --- room, ticks and labels ----------------------------------------------------------------


@given(
    heights=st.lists(st.floats(0, 100), min_size=1, max_size=10).map(sorted),
    gap=st.floats(1, 10),
)
def test_spreading_keeps_order_distance_and_frame(heights, gap):
    """Labels end up in order, at least the gap apart, and inside where there is room."""
    placed = style.spread(heights, gap, 0, 100)
    assert len(placed) == len(heights)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(placed))
    assert placed[0] >= -1e-9
    assert placed[-1] <= 100 + 1e-9


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([10, 50, 90], [10, 50, 90]),
        ([50, 50], [44, 56]),
        ([50, 50, 50, 90], [38, 50, 62, 90]),
        ([0, 0], [0, 12]),
        ([100, 100], [88, 100]),
    ],
)
def test_spreading_moves_as_little_as_it_must(wanted, placed):
    """What is apart stays; what is too near is moved to both sides, inside the frame."""
    assert style.spread(wanted, 12, 0, 100) == placed


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=60)


@given(text_=LETTERS, size=st.sampled_from([7.0, 9.0, 13.0]))
def test_cutting_keeps_to_the_room(text_, size):
    """Text that fits stays; other text keeps both ends."""
    cut = text.cut(text_, 1.7, size)
    assert text.width(cut, size) <= 1.7 + 1e-9
    if text.width(text_, size) <= 1.7:
        assert cut == text_
    else:
        head, _, tail = cut.partition("...")
        assert text_.startswith(head)
        assert text_.endswith(tail)


@given(st.lists(LETTERS.filter(bool), max_size=8).map(" ".join))
def test_folding_keeps_to_the_room_and_to_the_text(sentence):
    """No line is too wide, and all letters are there where the lines are not limited."""
    lines = text.fold(sentence, 2.0, 10, most=1000)
    assert all(text.width(line, 10) <= 2.0 + 1e-9 for line in lines)
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")


def test_folding_has_an_end_and_keeps_a_number_with_its_sign():
    """Past the last line there are dots; 95 % is not broken."""
    lines = text.fold("word " * 200, 2.0, 10, most=3)
    assert len(lines) == 3
    assert lines[-1].endswith("...")
    room = text.width("interval 95", 10) + 0.01
    assert text.fold("interval 95 % wide", room, 10) == ["interval", "95 % wide"]


def test_wide_letters_take_their_room():
    """Ideographs are as wide as high; W is wider than i."""
    assert text.width("名前", 72) >= 2
    assert text.width("W", 72) > 2 * text.width("i", 72)
    assert text.width("bold", 72, bold=True) > text.width("bold", 72)


@pytest.mark.parametrize(
    ("labels", "pitch", "room", "degrees"),
    [
        (["1x1-1"] * 3, 1.0, 1.0, 0),
        (["64x784-128-64-10"] * 3, 0.5, 1.0, 30),
        (["64x784-128-64-10"] * 3, 0.5, 0.1, 90),
        (["64x784-128-64-10"] * 20, 0.15, 1.0, 90),
    ],
)
def test_labels_turn_as_far_as_they_must(labels, pitch, room, degrees):
    """Level, slanted or upright, by what fits between two and at the left."""
    turned, height = text.tilt(labels, 8, pitch, room)
    assert turned == degrees
    assert height >= 8 / 72
    if degrees == 30:  # lines of slanted type stand pitch * sin 30 apart
        assert pitch * math.sin(math.radians(30)) >= 8 * text.LINE / 72


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((0.5, 2000), [1, 10, 100, 1000]),
        ((0.8, 12), [1, 2, 5, 10]),
        ((0.95, 1.05), [0.95, 0.975, 1, 1.025, 1.05]),
        ((1e-9, 1e3), [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2]),
    ],
)
def test_ticks_are_round_and_few(ends, ticks):
    """Powers of ten; finer on a short axis, fewer on a long one, and 1 is among them."""
    assert scale.logarithmic_ticks(*ends) == pytest.approx(ticks)


@given(low=st.floats(-12, 9), reach=st.floats(0.02, 20))
def test_every_axis_has_ticks(low, reach):
    """Two at least, eight at most."""
    ends = 10**low, 10 ** (low + reach)
    found = [tick for tick in scale.logarithmic_ticks(*ends) if ends[0] <= tick <= ends[1]]
    assert 2 <= len(found) <= 10


@pytest.mark.parametrize(
    ("value", "said"), [(1.0, "1x"), (0.05, "0.05x"), (1e4, "10,000x"), (1e8, "1e8x"), (0, "0")]
)
def test_a_tick_fits_into_the_margin(value, said):
    """Long numbers have an exponent."""
    from forwardbench.units import format_ratio

    assert scale.write_tick(value, format_ratio) == said


def test_a_question_mark_stands_where_a_time_is_not_believed_and_nowhere_else():
    """An estimate has a tilde; one that rests on a doubted time has both."""
    shown = texts(charts.draw("heatmap", statuses()))
    assert any(text.startswith("~") and not text.endswith("?") for text in shown)
    marked = [text for text in shown if text.endswith("?")]
    assert marked
    assert len(marked) < 4
