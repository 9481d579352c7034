"""What becomes of a chart: points and names for a page, and files."""

import hashlib
import xml.etree.ElementTree as ET

import pytest

from builders.charts import HOSTILE, KINDS, ladder_chart, only, statuses, statuses_chart
from builders.tables import BASE, FAST, joined, make, make_results, passes
from forwardbench.outputs import pictures
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.charts.drawing.figure import PANEL, SERIES
from forwardbench.outputs.charts.drawing.view import View


def save_all(bundle, folder, kinds=(), formats=("svg", "png")):
    """Draw charts of a bundle, save them, and list their files."""
    drawn = pictures.draw_all(bundle, kinds)
    return [path for each in drawn for path in pictures.save(each, folder, formats)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x", ["size", "multiply-adds"])
def test_points_lie_in_their_panels_and_say_value_and_interval(kind, x):
    """One for each cell with a value, inside its panel, in a sentence."""
    table = statuses().table
    chart = statuses_chart(kind, View(x=x))
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


@pytest.mark.parametrize("kind", KINDS)
def test_series_and_panels_have_names_in_the_svg(kind):
    """A page can find, show and hide them; panels take the room that is theirs."""
    chart = ladder_chart(kind, View())
    ids = {node.get("id") for node in ET.fromstring(chart.svg).iter()}
    assert {f"{SERIES}{name}" for name in ("python_loops", "matmul", "ndarray_loops")} <= ids
    assert f"{PANEL}0" in ids
    width, height = chart.get_size_inches()
    for axes, room in chart.panels:
        inside = axes.bbox.transformed(chart.dpi_scale_trans.inverted())
        assert 0 <= room.x0 < inside.x0 < inside.x1 < room.x1 <= width
        assert 0 <= room.y0 < inside.y0 < inside.y1 < room.y1 <= height


# --- files ---------------------------------------------------------------------------------


@pytest.mark.slow
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
        files = save_all(make(times, sweep=sweep), folder, formats=pictures.FORMATS)
        assert [path.name for path in files] == [
            f"{kind}-{sweep}.{suffix}" for kind in KINDS for suffix in pictures.FORMATS
        ]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]


def test_each_sweep_with_times_has_its_charts(tmp_path):
    """A sweep of which nothing was measured has none."""
    some = make_results({"python_loops": {"1x1-1": [1.0]}})
    none = make_results({"python_loops": {"1x1-1": ("failed", "no")}}, sweep="sample")
    both = joined(some, none)
    assert set(both.cells["sweep"]) == {"square", "sample"}
    files = save_all(Bundle(both), tmp_path, ["time"], ["png"])
    assert [path.name for path in files] == ["time-square.png"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_svg_can_be_read_aloud(kind, ladder, tmp_path):
    """It has the role of an image and a title that says what is to be seen; its text is text."""
    drawn = only(kind, ladder)
    (svg,) = pictures.save(drawn, tmp_path, ["svg"])
    root = ET.fromstring(svg.read_text())
    title = root.find("{http://www.w3.org/2000/svg}title").text
    assert root.get("role") == "img"
    module = drawn.entry.load()
    assert title == module.describe(drawn.part, module.title(drawn.part))
    assert "ndarray_loops" in list(root.itertext())
    if kind != "samples":
        assert "matmul: 0.249x at 1x1-1, 498x at 256x256-256" in title


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_stay_text(kind, tmp_path):
    """A name with markup or mathematics in it is shown as it is and breaks nothing."""
    times = {"python_loops": passes(BASE)} | {name: passes(FAST) for name in HOSTILE}
    svg, _, _ = save_all(make(times), tmp_path, [kind], pictures.FORMATS)
    root = ET.fromstring(svg.read_text())
    shown = list(root.itertext())
    for name in (HOSTILE[0], HOSTILE[3], HOSTILE[4]):
        assert name in shown
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_a_letter_that_no_font_has_is_no_warning(recwarn, tmp_path):
    """It is a box in PNG and PDF, and text in SVG."""
    times = {"python_loops": {"1x1-1": [1.0]}, "名前": {"1x1-1": [1.0]}}
    save_all(make(times), tmp_path, ["time"], pictures.FORMATS)
    assert not [each for each in recwarn if "Glyph" in str(each.message)]
