"""Charts: what is known is drawn, what is not is said, and labels stay readable."""

import hashlib
import itertools
import math
import xml.etree.ElementTree as ET

import matplotlib
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from forwardbench import charts, results
from forwardbench.analysis import summarize
from forwardbench.charts import style

SKIPPED = {
    ("python_loops", "1024x1024-1024"): (32.0, 28.0, 36.0),
    ("ndarray_loops", "256x256-256"): (None, None, None),
}


@pytest.fixture
def table(make_table, ladder):
    """Measured, estimated and skipped cells side by side."""
    ladder["matmul"]["1024x1024-1024"] = [0.04, 0.041, 0.04]
    return make_table(ladder, skipped=SKIPPED)


def draw(kind, table):
    """Draw one chart in the suite's style."""
    with matplotlib.rc_context(style.RC):
        return charts.KINDS[kind].draw(table)


def texts(figure):
    """Every text that is shown; axes make theirs only when they are drawn."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.mark.parametrize("kind", charts.KINDS)
def test_a_chart_says_what_it_shows(kind, table):
    """Title with the finding, axes with units, caption with machine, passes and commit."""
    shown = "\n".join(texts(draw(kind, table)))
    assert "matmul is 498 times faster than" in shown.replace("\n", " ")
    assert "batch = inputs = units" in shown
    assert "Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test" in shown
    assert "3 passes" in shown
    assert "commit 0123456789" in shown
    assert "hollow and dotted: " in shown
    assert "estimated from a fit" in " ".join(shown.split())
    assert "Noise floor: of ratios of identical code, 95 % are expected within" in shown
    assert ("1 us" if kind == "time" else "100x") in shown


@pytest.mark.parametrize("kind", charts.KINDS)
def test_every_series_is_labelled_and_controls_are_not_series(kind, table):
    """A label beside each line; the control shows as the noise floor only."""
    shown = texts(draw(kind, table))
    assert {"python_loops", "matmul", "ndarray_loops"} <= set(shown)
    assert not any("(control)" in text for text in shown)


def marks(figure, colour):
    """Marker face colours and x values of every set of marks of one colour."""
    for line in figure.findobj(matplotlib.lines.Line2D):
        if line.get_color() == colour and line.get_marker() not in (None, "None", ""):
            yield line.get_marker(), line.get_markerfacecolor(), list(line.get_xdata())


def test_measured_is_filled_and_estimated_is_hollow(table):
    """The baseline is black: filled up to 256, hollow at 1024."""
    found = list(marks(draw("time", table), style.BASELINE_COLOUR))
    assert (style.BASELINE_MARKER, style.BASELINE_COLOUR, [1, 4, 16, 64, 256]) in found
    assert (style.BASELINE_MARKER, "white", [1024]) in found


def test_skipped_cells_get_a_cross(table):
    """A cell without time or estimate is marked, not left out."""
    crosses = [
        x
        for colour in style.COLOURS
        for mark, _, x in marks(draw("time", table), colour)
        if mark == "x"
    ]
    assert [256] in crosses


def test_whoever_has_no_time_is_named_with_the_reason(write_run):
    """Nothing vanishes: a contender without data has a line that says why."""
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, "broken": {"4x4-4": ["ValueError: no", None]}}
    shown = "\n".join(texts(draw("time", summarize(results.load(write_run(times))))))
    assert "broken: 1 cell failed, first 4x4-4: ValueError: no" in " ".join(shown.split())


@pytest.mark.parametrize("kind", charts.KINDS)
@pytest.mark.parametrize("count", [1, 2, 5, 7, 12])
def test_labels_neither_overlap_nor_leave_the_figure(kind, count, make_table):
    """With 1 to 12 series that end at nearly one place, every label has its own place."""
    cases = ["1x1-1", "8x8-8", "64x64-64"]
    times = {
        f"implementation_{i:02}": {case: [1e-5 * (1 + i / 100)] * 2 for case in cases}
        for i in range(count)
    }
    table = make_table(times, baseline="implementation_00")
    figure = draw(kind, table)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for axes in figure.axes:
        boxes = [
            text.get_window_extent(renderer) for text in axes.texts if "implem" in text.get_text()
        ]
        assert all(not a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        for box in boxes:
            assert figure.bbox.contains(box.x0, box.y0)
            assert figure.bbox.contains(box.x1, box.y1)
    named = {
        text for text in texts(figure) if text.startswith("implementation_") and " " not in text
    }
    assert named == set(times)


@pytest.mark.parametrize("kind", charts.KINDS)
def test_one_panel_never_holds_more_than_five_series(kind, make_table):
    """Beyond five, small multiples; the baseline is in each."""
    times = {f"rung_{i:02}": {"1x1-1": [1e-5 * (i + 1)] * 2} for i in range(12)}
    panels = style.panels(make_table(times, baseline="rung_00"))
    assert [len(panel) for panel in panels] == [5, 5, 4]
    assert all("rung_00" in panel for panel in panels)
    assert len(set().union(*panels)) == 12


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


def test_spreading_leaves_alone_what_is_apart():
    """A label moves only when it must."""
    assert style.spread([10, 50, 90], 12, 0, 100) == [10, 50, 90]


@pytest.mark.parametrize("sweep", ["square", "course"])
def test_files_are_the_same_bytes_each_time(sweep, make_table, tmp_path):
    """SVG with text as text, the same hash for the same table, and a PNG beside it."""
    cases = ["1x1-1", "4x4-4"] if sweep == "square" else ["1x2-3", "10000x3-1"]
    times = {name: {case: [1e-6, 2e-6] for case in cases} for name in ("python_loops", "matmul")}
    table = make_table(times, sweep=sweep)
    digests = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        files = list(charts.draw_all(table, folder))
        assert [path.name for path in files] == [
            f"{kind}-{sweep}.{suffix}" for kind in ("time", "speedup") for suffix in ("svg", "png")
        ]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]


def test_an_svg_can_be_read_aloud(table, tmp_path):
    """It has the role of an image and a title that says what is to be seen; its text is text."""
    svg, *_ = charts.draw_all(table, tmp_path)
    root = ET.fromstring(svg.read_text())
    title = root.find("{http://www.w3.org/2000/svg}title").text
    assert root.get("role") == "img"
    assert title.startswith("Line chart of time a call by size in the sweep square, where matmul")
    assert "matmul: 0.249x at 1x1-1, 498x at 256x256-256" in title
    assert "python_loops" in "".join(root.itertext()).replace(title, "")


def test_hostile_names_stay_text(make_table, tmp_path):
    """A name with markup or mathematics in it is shown as it is and breaks nothing."""
    name = "<script>$x^2$&amp;"
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, name: {"4x4-4": [0.5, 0.5]}}
    svg, *_ = charts.draw_all(make_table(times), tmp_path)
    root = ET.fromstring(svg.read_text())
    assert name in list(root.itertext())
    assert not [node for node in root.iter() if node.tag.endswith("script")]


@pytest.mark.parametrize("kind", charts.KINDS)
def test_charts_of_little_are_charts(kind, make_table):
    """One size and one pass; a single rung; no baseline; estimates only."""
    one = make_table({"matmul": {"4x4-4": [1e-6]}}, name="one")
    shown = " ".join("\n".join(texts(draw(kind, one))).split())
    assert "python_loops was not measured where others were" in shown
    skipped = {("python_loops", "512x512-512"): (4.0, None, None)}
    guessed = make_table({"python_loops": {"1x1-1": [1e-6]}}, skipped=skipped, name="two")
    assert draw(kind, guessed).axes


def test_settings_are_drawn_apart(make_table, tmp_path):
    """Two dtypes are two charts, and their names say which."""
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, "matmul": {"4x4-4": [0.5, 0.5]}}
    both = pd.concat(
        [make_table(times, name="a"), make_table(times, name="b").assign(dtype="float32")]
    )
    names = {path.name for path in charts.draw_all(both.reset_index(drop=True), tmp_path)}
    assert names == {
        f"{kind}-square-{dtype}.{suffix}"
        for kind in charts.KINDS for dtype in ("float64", "float32") for suffix in charts.FORMATS
    }  # fmt: skip


def test_the_noise_floor_is_a_band_around_one(table):
    """The speedup chart shows it; its height is that of the analysis."""
    from forwardbench.analysis import noise_floor

    floor = noise_floor(table)
    assert 1 < floor < 1.1
    axes = draw("speedup", table).axes[0]
    spans = [
        patch for patch in axes.patches
        if math.isclose(patch.get_y(), 1 / floor)
        and math.isclose(patch.get_height(), floor - 1 / floor)
    ]  # fmt: skip
    assert len(spans) == 1
