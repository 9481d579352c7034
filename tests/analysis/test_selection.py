"""What is shown of a large run: which settings, implementations and cases, and what words say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.tables import joined, make_results, square
from forwardbench.analysis import selection
from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.selection import (
    charted,
    choice_words,
    evenly,
    listed,
    share_out,
    some_first_calls,
)
from forwardbench.analysis.table import summarize
from forwardbench.outputs.bundle import Bundle

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
THREADS = tuple(("float64", count) for count in (1, 2, 4))
FAILED = ("failed", "ValueError: shapes do not fit")


def times(names=6, sizes=SIZES):
    """Loops, and rungs each of which is faster than the one before and slower on tiny cases."""
    rows = {"python_loops": {square(size): [1e-6 * size**2] * 3 for size in sizes}}
    for number in range(1, names):
        rows[f"rung_{number}"] = {
            square(size): [(1e-6 * number + 1e-6 * size**2 / (1 + number))] * 3 for size in sizes
        }
    rows["python_loops (control)"] = rows["python_loops"]
    return rows


@pytest.fixture
def small_limits(monkeypatch):
    """Limits so small that a table of 168 cells is a large run."""
    limits = {"LARGE": 60, "MOST_CHARTED": 36, "MOST_SETTINGS": 2, "MOST_NAMES": 4}
    for name, value in limits.items():
        monkeypatch.setattr(selection, name, value)


def table_of(rows, **options):
    """The table of times in three settings."""
    return summarize(make_results(rows, settings=THREADS, **options))


def test_a_run_that_is_not_large_is_shown_whole():
    """All rows, and no words about it."""
    table = table_of(times())
    assert charted(table) == listed(table) == list(table.index)
    assert choice_words(table, table) == ""


def test_charts_show_a_grid(small_limits):
    """The first and last setting, baseline, extremes and fastest, and both ends of the sizes."""
    table = table_of(times())
    shown = table.loc[charted(table)]
    assert list(shown["threads"].unique()) == [1, 4]
    names = ["python_loops", "rung_2", "rung_3", "rung_5", "python_loops (control)"]
    assert sorted(shown["implementation"].unique()) == sorted(names)
    assert [square(size) for size in (1, 4, 32, 128)] == list(shown["case"].unique())
    assert len(shown) == 2 * 5 * 4  # a whole grid


def test_each_sweep_has_a_share_of_the_charts(small_limits):
    """A small sweep beside a large one is charted whole."""
    both = joined(
        make_results(times(), settings=THREADS),
        make_results({"python_loops": {"7x3-1": [1.0] * 3}, "rung_1": {"7x3-1": [0.5] * 3}},
                     sweep="shapes"),
    )  # fmt: skip
    table = summarize(both)
    shown = table.loc[charted(table)]
    assert len(shown[shown["sweep"] == "shapes"]) == 2
    assert 0 < len(shown[shown["sweep"] == "square"]) < 168


def test_tables_list_what_charts_show_and_every_ones_ends(small_limits):
    """As many rows as there is room for: the charts' first, extremes, problems and ends."""
    rows = times(names=3)
    rows["rung_2"][square(8)] = FAILED
    table = table_of(rows)
    shown = listed(table)
    assert len(shown) == 60
    assert set(charted(table)) <= set(shown)
    chosen = table.loc[shown]
    assert (chosen["status"] == "failed").sum() >= 1
    ends = table[table["case"].isin([square(1), square(128)])]
    assert set(ends.index) <= set(shown)
    best = table.loc[table["speedup"].idxmax()]
    assert best.name in shown


def test_words_say_what_is_shown_and_what_is_wrong_with_the_rest(small_limits):
    """Numbers of cells, settings, implementations and cases, and what failed among the others."""
    rows = times()
    rows["rung_3"] = {square(size): FAILED for size in SIZES}
    rows["rung_4"][square(2)] = ("rejected", "wrong")
    table = table_of(rows)
    assert choice_words(table, table.loc[charted(table)]) == (
        "40 of 168 cells are shown: 2 of 3 settings, 4 of 6 implementations, 4 of 8 cases; "
        "of the others, 16 failed and 3 rejected. "
        "All are in table.csv, which forwardbench export writes."
    )


def test_unrelated_cases_are_spread_by_size(small_limits, monkeypatch):
    """Of many shapes, the smallest and the largest are shown, and as many as there is room for."""
    monkeypatch.setattr(selection, "MOST_CASES", 5)
    shapes = {f"{number}x{number}-3": [1e-3 * number] * 3 for number in range(1, 51)}
    faster = {case: [each / 10 for each in row] for case, row in shapes.items()}
    table = summarize(make_results({"python_loops": shapes, "matmul": faster}, sweep="shapes"))
    cases = list(table.loc[charted(table)]["case"].unique())
    assert cases[0] == "1x1-3"
    assert cases[-1] == "50x50-3"
    assert len(cases) == 5


def test_many_first_calls_are_listed_in_part(small_limits):
    """So many as there is room for, spread evenly, with words about the others."""
    first_calls = {("rung_1", square(size)): [1.0, 1.1, 1.2] for size in range(1, 101)}
    rows = {name: {square(size): [1e-3] * 3 for size in range(1, 101)} for name in
            ("matmul", "rung_1")}  # fmt: skip
    whole = Bundle(make_results(rows, baseline="matmul", first_calls=first_calls.items()))
    shown, words = some_first_calls(whole.break_evens)
    assert len(shown) == 60
    assert list(shown["case"].iloc[[0, -1]]) == [square(1), square(100)]
    assert words == (
        "60 of 100 first calls are shown. "
        "All are in break-even.csv, which forwardbench export writes."
    )


def test_evenly_spread_items():
    """Both ends, what must be there, and the order of all."""
    assert evenly(range(10), 10) == list(range(10))
    assert evenly(range(10), 4) == [0, 3, 6, 9]
    assert evenly(range(10), 4, [5]) == [0, 4, 5, 9]
    assert evenly(range(10), 4, [0, 9]) == [0, 3, 6, 9]
    assert evenly(range(10), 2, [7, 3, 1]) == [3, 7]
    assert evenly(range(10), 0) == []


@given(
    items=st.lists(st.integers(), unique=True, max_size=40),
    most=st.integers(0, 50),
    data=st.data(),
)
def test_no_more_items_than_asked_for(items, most, data):
    """At most so many, in their order, with the first of those that must be there."""
    always = data.draw(st.lists(st.sampled_from(items), unique=True)) if items else []
    kept = evenly(items, most, always)
    assert len(kept) <= most
    assert kept == [item for item in items if item in set(kept)]
    assert set(always[:most]) <= set(kept)


@given(wanted=st.lists(st.integers(0, 100), min_size=1, max_size=8), total=st.integers(0, 300))
def test_shares_use_up_what_there_is(wanted, total):
    """Nobody gets more than wanted; less only if all is given away."""
    shares = share_out(wanted, total)
    assert all(0 <= share <= most for share, most in zip(shares, wanted, strict=True))
    assert sum(shares) == min(total, sum(wanted)) or sum(shares) > total - len(wanted)
    assert sum(shares) <= total


def test_every_kind_of_setting_is_known(small_limits):
    """Two dtypes with three numbers of threads each: the ends of both, as far as there is room."""
    settings = [(dtype, count) for dtype in ("float64", "float32") for count in (1, 2, 4)]
    table = summarize(make_results(times(names=3), settings=settings))
    shown = table.loc[charted(table), SETTING].drop_duplicates()
    assert list(zip(shown["dtype"], shown["threads"], strict=True)) == [
        ("float64", 1),
        ("float32", 4),
    ]
