"""The chart over commits: what changed, relative to the first commit, and nothing invented."""

import pytest

from builders.tables import make, square
from forwardbench.outputs import charts
from forwardbench.outputs.charts import history


def at(commit, times):
    """The table of one commit."""
    return make({name: {square(4): row} for name, row in times.items()}).assign(commit=commit)


def test_only_cells_that_both_ends_have_are_compared():
    """What is new at the last commit has nothing to be compared with and dilutes nothing."""
    tables = [
        at("a" * 10, {"matmul": [1.0, 1.0]}),
        at("b" * 10, {"matmul": [2.0, 2.0], "einsum": [5.0, 5.0], "other": [7.0, 7.0]}),
    ]
    drawn = charts.draw_history(tables, "of passes")
    assert drawn.chart.title == (
        "At bbbbbbbb times are 2.000 of those at aaaaaaaa on average, at most 2.000 "
        "(matmul at 4x4-4)"
    )
    assert (drawn.kind, drawn.sweep) == ("history", "commits")
    assert "Dot chart of times over commits, where At bbbbbbbb" in drawn.alternative


def test_commits_that_share_nothing_are_not_compared():
    """It is said instead."""
    tables = [at("a" * 10, {"matmul": [1.0, 1.0]}), at("b" * 10, {"einsum": [2.0, 2.0]})]
    title = charts.draw_history(tables, "").chart.title
    assert title == "Nothing was measured both at aaaaaaaa and at bbbbbbbb"


def test_every_time_can_be_asked_for():
    """Each dot says its case, commit, time and change."""
    tables = [at("a" * 10, {"matmul": [1.0, 1.0]}), at("b" * 10, {"matmul": [1.5, 1.5]})]
    points = charts.draw_history(tables, "").chart.points
    assert [point.text for point in points] == [
        "matmul at 4x4-4, aaaaaaaaaa: 1.00 s, 1.00x of the first commit's time",
        "matmul at 4x4-4, bbbbbbbbbb: 1.50 s, 1.50x of the first commit's time",
    ]
    assert [point.y for point in points] == pytest.approx([1.0, 1.5])


def test_one_commit_has_no_history():
    """Title and panel say so without failing."""
    assert history.title(at("a" * 10, {"matmul": [1.0, 1.0]})).startswith("One commit only")
