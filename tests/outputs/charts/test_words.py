"""Charts say what they show: title, axes, marks, and why something is missing."""

import pytest

from builders.charts import BY_SIZE, KINDS, draw, ladder_chart, only, statuses_chart, texts, words
from builders.tables import BASE, FAST, make, passes, square
from forwardbench.outputs.charts.drawing.view import View

SAID = {
    "time": (
        "Fastest: python_loops up to size 4, matmul from 16 on (crossing 4.1",
        {"time a call", "1 us", "batch = inputs = units"},
        "hollow and dotted: estimated from a fit, never measured",
    ),
    "speedup": (
        "matmul is 498 times faster than python_loops at 256x256-256 (95 % interval 480 to 518, "
        "3 passes); faster from size 16 on (crossing 4.1",
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_says_what_it_shows(kind):
    """Title with the finding, subtitle with the setting, axes with units, marks, and caption."""
    title, shown, explained = SAID[kind]
    chart = ladder_chart(kind, View())
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


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_has_a_question_a_help_and_an_alternative_text(kind, ladder):
    """What the report writes around it."""
    drawn = only(kind, ladder)
    module = drawn.entry.load()
    assert module.QUESTION
    assert module.HELP.endswith(".")
    title = module.title(drawn.part)
    assert title == drawn.chart.title
    assert title in module.describe(drawn.part, title)
    form = {"heatmap": "Heat map", "samples": "Dot chart"}.get(kind, "Line chart")
    assert module.describe(drawn.part, title).startswith(f"{form} of ")


@pytest.mark.parametrize("kind", KINDS)
def test_every_series_is_labelled(kind):
    """A label for each; a control is one in the chart of samples only."""
    shown = set(texts(ladder_chart(kind, View())))
    assert {"python_loops", "matmul", "ndarray_loops"} <= shown
    assert ("python_loops (control)" in shown) == (kind == "samples")


@pytest.mark.parametrize("kind", BY_SIZE)
def test_the_legend_explains_the_marks_that_are_there_and_no_others(kind):
    """Filled, hollow and a mark by status."""
    said = words(statuses_chart(kind, View()))
    assert "filled: measured, with its 95 % interval over passes" in said
    assert "crossed out: measured, but faster than this machine can be" in said
    for mark, status in {
        "cross": "skipped", "filled cross": "rejected", "star": "failed", "dash": "unavailable"
    }.items():  # fmt: skip
        assert f"{mark} at the top: {status}" in said
    plain = words(draw(kind, make({"python_loops": {square(1): [1.0]}})))
    assert "filled: measured once, so without an interval" in plain
    assert "at the top" not in plain
    assert "hollow" not in plain
    assert "crossed out" not in plain


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_has_no_time_has_a_line_that_says_why(kind):
    """Nothing vanishes: not who failed, was rejected, is not installed, or is not believed."""
    said = words(statuses_chart(kind, View()))
    for line in (
        "rejected_one: 1 cell rejected, first 256x256-256: wrong: expected 0.5, found 0.75",
        "failed_one: 1 cell failed, first 256x256-256: ValueError: shapes do not fit",
        "unavailable_one: 5 cells unavailable, first 1x1-1: needs torch: pip install torch",
        "doubted_one: 1 cell not credible, first 256x256-256: implausible: 33,446 GFLOP/s where",
    ):
        assert line in said


def test_a_long_name_leaves_room_for_the_finding():
    """In a title it is cut in the middle, so that what was found can be read."""
    whole = make({"python_loops": passes(BASE, (1.0,)), "a" * 200: passes(FAST, (1.0,))})
    chart = draw("heatmap", whole)
    shown = " ".join(chart.texts[0].get_text().split())
    assert shown.startswith("From 0.250x (aaaaa")
    assert "to 500x (aaaaa" in shown
    assert shown.endswith("aaaaa at 256x256-256)")
    assert "a" * 200 in chart.title


def test_a_question_mark_stands_where_a_time_is_not_believed_and_nowhere_else():
    """An estimate has a tilde; one that rests on a doubted time has both."""
    shown = texts(statuses_chart("heatmap", View()))
    assert any(text.startswith("~") and not text.endswith("?") for text in shown)
    marked = [text for text in shown if text.endswith("?")]
    assert marked
    assert len(marked) < 4
