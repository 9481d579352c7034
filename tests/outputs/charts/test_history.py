"""The chart over commits: what changed, relative to the first commit, and nothing invented."""

import pytest

from builders.charts import only
from builders.tables import make, make_results, square
from forwardbench.outputs.bundle import Bundle, HistoryPart, history_parts
from forwardbench.outputs.charts import history


def at(commit, times):
    """The results of one commit."""
    return make_results({name: {square(4): row} for name, row in times.items()}, commit=commit)


def over(commits):
    """The newest commit's results, with those of all commits."""
    return Bundle(commits[-1], load_commits=lambda: commits)


def test_only_cells_that_both_ends_have_are_compared():
    """What is new at the last commit has nothing to be compared with and dilutes nothing."""
    commits = [
        at("a" * 10, {"matmul": [1.0, 1.0]}),
        at("b" * 10, {"matmul": [2.0, 2.0], "einsum": [5.0, 5.0], "other": [7.0, 7.0]}),
    ]
    drawn = only("history", over(commits))
    assert drawn.chart.title == (
        "At bbbbbbbb times are 2.000 of those at aaaaaaaa on average, at most 2.000 "
        "(matmul at 4x4-4)"
    )
    assert (drawn.entry.name, drawn.part.name) == ("history", "commits")
    assert "Dot chart of times over commits, where At bbbbbbbb" in drawn.alternative


def test_commits_that_share_nothing_are_not_compared():
    """It is said instead."""
    commits = [at("a" * 10, {"matmul": [1.0, 1.0]}), at("b" * 10, {"einsum": [2.0, 2.0]})]
    title = only("history", over(commits)).chart.title
    assert title == "Nothing was measured both at aaaaaaaa and at bbbbbbbb"


def test_every_time_can_be_asked_for():
    """Each dot says its case, commit, time and change."""
    commits = [at("a" * 10, {"matmul": [1.0, 1.0]}), at("b" * 10, {"matmul": [1.5, 1.5]})]
    points = only("history", over(commits)).chart.points
    assert [point.text for point in points] == [
        "matmul at 4x4-4, aaaaaaaaaa: 1.00 s, 1.00x of the first commit's time",
        "matmul at 4x4-4, bbbbbbbbbb: 1.50 s, 1.50x of the first commit's time",
    ]
    assert [point.y for point in points] == pytest.approx([1.0, 1.5])


def test_one_commit_has_no_history():
    """There is no chart of it, and the title says so without failing."""
    whole = make({"matmul": {square(4): [1.0, 1.0]}})
    alone = Bundle(whole.results, load_commits=lambda: [whole.results])
    assert list(history_parts(whole)) == list(history_parts(alone)) == []
    part = HistoryPart("commits", whole.table, whole.table, "")
    assert history.title(part).startswith("One commit only")
