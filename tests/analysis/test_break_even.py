"""When compiling pays: exact numbers, intervals that hold the truth, and what is drawn of it."""

import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from builders.charts import only
from builders.tables import make, square
from forwardbench.analysis.break_even import COLUMNS, calls_to_pay
from forwardbench.analysis.first_call_findings import calls_words, format_calls, payoff
from forwardbench.commands.shared import terminal
from forwardbench.outputs import pictures, report
from forwardbench.outputs.charts.drawing.figure import SERIES
from forwardbench.outputs.charts.drawing.view import DARK, LIGHT, View
from forwardbench.outputs.exports import json as json_export

PASSES = (1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.0, 1.01, 0.99, 1.0)
LOOPS = {square(1): [1e-6] * 10, square(64): [8e-3] * 10}


def at(seconds, wobble=PASSES):
    """Ten passes of a time at both sizes: the smaller takes a hundredth."""
    return {
        square(1): [seconds / 100 * each for each in wobble],
        square(64): [seconds * each for each in wobble],
    }


def made_of(times, first_calls, **options):
    """Loops beside these times, with first calls, and all that is made of them."""
    return make({"python_loops": LOOPS, **times}, first_calls=first_calls, **options)


@pytest.fixture(scope="module")
def mixed():
    """At the larger size one pays, one never does, one is not shown to, and one failed."""
    times = {
        "matmul": at(2e-5), "fast": at(1e-5), "slow": at(4e-5),
        "alike": at(2e-5, PASSES[::-1]), "broken": at(1e-5),
    }  # fmt: skip
    firsts = {(name, square(64)): [0.9, 1.0, 1.1] for name in ("fast", "slow", "alike")}
    return made_of(times, {**firsts, ("broken", square(64)): "exited with status 3"})


@pytest.fixture(scope="module")
def chart_of_mixed(mixed):
    """The one chart of `mixed`."""
    return only("break-even", mixed)


# --- the number of calls -----------------------------------------------------------------


def test_constant_times_have_an_exact_number_without_width():
    """10 ms first, then 1 ms where the other takes 2 ms: 10 + 8 = 18 after nine calls."""
    crossing = calls_to_pay([10e-3] * 3, np.full(5, 1e-3), np.full(5, 2e-3))
    assert crossing == pytest.approx((9.0, 9.0, 9.0))


def test_exact_numbers_where_only_first_calls_vary():
    """N is (first - own) / (other - own) at the ends of the first call's t-interval."""
    firsts = [1.0, math.e, math.e**2]
    half = 4.302652729911275 / math.sqrt(3)  # Student's t with 2 degrees of freedom
    crossing = calls_to_pay(firsts, np.full(4, 0.25), np.full(4, 0.75))
    ends = [math.e, math.exp(1 - half), math.exp(1 + half)]
    assert crossing[0] == pytest.approx((ends[0] - 0.25) / 0.5)
    assert crossing[1] == 1.0  # the low end of the first call is less than one call of the other
    assert crossing[2] == pytest.approx((ends[2] - 0.25) / 0.5)


def test_exact_numbers_where_only_calls_vary():
    """N is (first - own) / d at the ends of the t-interval of d, what a call saves."""
    own = np.zeros(3) + 1e-9  # next to nothing, so that what a call saves is the other's time
    saved = np.array([1.0, 1.1, 1.2])
    half = 4.302652729911275 * 0.1 / math.sqrt(3)
    crossing = calls_to_pay([100.0, 100.0], own, own + saved)
    assert crossing == pytest.approx((100 / 1.1, 100 / (1.1 + half), 100 / (1.1 - half)), rel=1e-6)


def test_what_slows_a_whole_pass_cancels_less_than_it_would_unpaired():
    """Passes that are slower by half for both leave the saving's sign beyond doubt."""
    slowed = np.array([1.0, 1.5, 1.0, 1.5, 1.0])
    paired = calls_to_pay([1.0] * 3, 1.00 * slowed * 1e-3, 1.1 * slowed * 1e-3)
    crossed = calls_to_pay([1.0] * 3, 1.00 * slowed * 1e-3, 1.1 * slowed[::-1] * 1e-3 + 1e-9)
    unpaired = calls_to_pay([1.0] * 3, 1.00 * slowed * 1e-3, 1.1 * np.roll(slowed, 1) * 1e-3)
    assert math.isfinite(paired.high)
    assert math.isfinite(crossed.high)  # this order is the same one backwards
    assert unpaired.high == math.inf


def test_a_call_that_is_slower_never_pays():
    """Both ends are infinite, since no number of calls is enough."""
    own = 2e-3 * np.array(PASSES)
    assert calls_to_pay([1.0] * 3, own, own / 2) == (math.inf, math.inf, math.inf)


def test_without_a_shown_difference_there_is_no_upper_end():
    """A few hundred calls do not pay for sure; whether any number does is not known."""
    other = 1e-3 * np.array([1.2, 0.8, 1.1, 0.95, 1.0])
    crossing = calls_to_pay([1.0] * 3, np.full(5, 1e-3), other)
    most_saved = 1e-5 + 2.776445105197799 * other.std(ddof=1) / math.sqrt(5)
    assert crossing == pytest.approx((0.999 / 1e-5, 0.999 / most_saved, math.inf))


def test_a_first_call_below_one_of_the_others_pays_at_once():
    """No less than one call is ever made."""
    assert calls_to_pay([1e-3] * 3, np.full(3, 1e-4), np.full(3, 2e-3)) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("firsts", "passes"), [([1.0], 5), ([0.9, 1.1], 1)])
def test_one_of_either_has_a_centre_and_no_interval(firsts, passes):
    """What is not known is NaN."""
    crossing = calls_to_pay(firsts, np.full(passes, 1e-3), np.full(passes, 2e-3))
    assert crossing.centre == pytest.approx(1000, rel=0.01)
    assert math.isnan(crossing.low)
    assert math.isnan(crossing.high)


positive = st.floats(1e-6, 1e3)


@given(
    firsts=st.lists(positive, min_size=2, max_size=5),
    passes=st.lists(st.tuples(positive, positive), min_size=2, max_size=12),
    unit=st.floats(1e-3, 1e3),
)
def test_the_ends_are_in_order_and_units_do_not_matter(firsts, passes, unit):
    """Seconds or milliseconds, low is at most the centre, and the centre at most high."""
    own, other = np.array(passes).T
    low, centre, high = (calls_to_pay(firsts, own, other)[i] for i in (1, 0, 2))
    assert 1 <= low <= centre <= high
    scaled = calls_to_pay([unit * each for each in firsts], unit * own, unit * other)
    for end, again in zip((centre, low, high), scaled, strict=True):
        # At the border between never and almost never a rounding error decides.
        if max(end, again) < 1e9:
            assert again == pytest.approx(end, rel=1e-4)


RUNS = 1000
SLIPS = 3.5 * math.sqrt(0.95 * 0.05 / RUNS)
"""So far below 95 % a share of so many runs comes out by chance once in four thousand."""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("faster", "first_noise", "call_noise", "first_calls", "passes"),
    [(1.0, 0.05, 0.02, 3, 10), (0.05, 0.005, 0.02, 3, 10), (0.02, 0.05, 0.02, 3, 10),
     (0.2, 0.2, 0.05, 5, 10), (0.3, 0.1, 0.05, 3, 3), (0.0, 0.05, 0.02, 3, 10)],
)  # fmt: skip
def test_the_interval_holds_the_truth(faster, first_noise, call_noise, first_calls, passes):
    """In 95 % of simulated runs or more, whether first calls vary, calls, or both, or none pays."""
    random = np.random.default_rng(20)
    own, first = 1e-5, 1.0
    truth = (first - own) / (faster * own) if faster else math.inf
    held = 0
    for _ in range(RUNS):
        slowed = random.normal(0, 0.05, passes)  # whatever slows both in a pass
        each = [np.exp(slowed + random.normal(0, call_noise, passes)) for _ in range(2)]
        firsts = first * np.exp(random.normal(0, first_noise, first_calls))
        found = calls_to_pay(firsts.tolist(), own * each[0], own * (1 + faster) * each[1])
        held += found.low <= truth <= found.high
    assert held / RUNS > 0.95 - SLIPS
    assert held / RUNS < 0.995  # nor is it so wide that it says nothing


# --- the table -----------------------------------------------------------------------------


def test_each_cell_with_a_first_call_gets_a_row_and_a_verdict(mixed):
    """Pays, never, not shown, or the reason for which nothing is known."""
    found = mixed.break_evens
    assert list(found.columns) == COLUMNS
    assert COLUMNS[-2:] == ["host", "workload"]
    rows = found.set_index("implementation")
    assert rows["verdict"].to_dict() == {
        "fast": "pays", "slow": "never pays", "alike": "not shown to pay", "broken": "",
    }  # fmt: skip
    assert rows.loc["broken", "reason"] == "exited with status 3"
    assert rows.loc["fast", "first"] == pytest.approx((0.9 * 1.0 * 1.1) ** (1 / 3))
    assert rows.loc["fast", "calls"] == pytest.approx(1e5, rel=0.02)
    assert rows.loc["fast", "calls_low"] < 9e4
    assert rows.loc["fast", "calls_high"] > 1.1e5
    assert rows.loc["fast", "against_seconds"] == pytest.approx(2e-5, rel=0.01)
    assert rows.loc["fast", "import_seconds"] == 0.5
    assert rows["calls_high"].tolist()[1:3] == [math.inf, math.inf]


def test_a_difference_within_the_noise_floor_is_not_shown_to_pay():
    """Identical code differs by a tenth here, so a call that is faster by 3 % says nothing."""
    times = {
        "matmul": at(2e-5), "fast": at(1.94e-5),
        "python_loops (control)": {case: [1.1 * row[0]] * 10 for case, row in LOOPS.items()},
    }  # fmt: skip
    firsts = {("fast", square(64)): [1.0, 1.0, 1.0]}
    found = made_of(times, firsts).break_evens
    assert found["verdict"].tolist() == ["not shown to pay"]
    assert found["calls_high"].tolist() == [math.inf]
    del times["python_loops (control)"]
    assert made_of(times, firsts).break_evens["verdict"].tolist() == ["pays"]


def test_without_matmul_costs_are_known_and_the_number_of_calls_is_not():
    """The reason says which time is missing; it is no other setting's."""
    times = {"fast": at(1e-5), "matmul": {square(1): [1e-6] * 10}}
    found = made_of(times, {("fast", square(64)): [1.0, 1.1]}).break_evens
    (row,) = found.to_dict("records")
    assert row["reason"] == "matmul has no time here to compare with"
    assert row["first"] > 1
    assert np.isnan([row["calls"], row["calls_low"], row["against_seconds"]]).all()


def test_a_cell_that_failed_in_a_pass_has_no_number_of_calls():
    """Its own reason is passed on."""
    times = {"matmul": at(2e-5), "fast": {square(64): ("failed", "ValueError: no")}}
    found = made_of(times, {("fast", square(64)): [1.0]}).break_evens
    assert found["reason"].tolist() == ["failed: ValueError: no"]


def test_results_without_first_calls_have_no_rows():
    """Then there is no chart and no table, and nothing fails."""
    whole = made_of({"matmul": at(2e-5)}, {})
    assert whole.break_evens.empty
    assert list(whole.break_evens.columns) == COLUMNS
    assert list(pictures.draw_all(whole, ["break-even"])) == []
    assert "compiling pays" not in report.make_page(whole)


# --- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "words"),
    [(1.0, "1"), (1.0000000001, "1"), (8.2, "9"), (1234.5, "1,240"), (4.46e5, "446,000"),
     (3e12, "3e12"), (math.inf, ""), (math.nan, "")],
)  # fmt: skip
def test_a_number_of_calls_is_whole(calls, words):
    """The first that has paid, with three digits."""
    assert format_calls(calls) == words


@pytest.mark.parametrize(
    ("verdict", "calls", "words"),
    [
        ("pays", (1234.0, 1100.0, 1400.0), "1,230 (1,100 to 1,400)"),
        ("pays", (1.0, 1.0, 1.0), "1"),
        ("never pays", (math.inf, math.inf, math.inf), "never"),
        ("not shown to pay", (math.inf, 950.0, math.inf), "not shown (at least 950)"),
        ("not shown to pay", (5.0, 1.0, math.inf), "not shown"),
        ("not shown to pay", (math.inf, math.nan, math.inf), "not shown"),
        ("not shown to pay", (5.0, math.nan, math.nan), "5 (no interval)"),
        ("not shown to pay", (math.inf, math.nan, math.nan), "not shown"),
        ("", (math.nan, math.nan, math.nan), ""),
    ],
)
def test_each_verdict_has_its_words(verdict, calls, words):
    """An end that is infinite or unknown is never written as a number."""
    row = dict(zip(("calls", "calls_low", "calls_high"), calls, strict=True))
    assert calls_words(pd.Series({"verdict": verdict, **row})) == words


def test_the_sentence_names_who_pays_when_and_who_does_not(mixed):
    """On the largest case on which one pays."""
    found = mixed.break_evens
    assert payoff(found) == (
        "At 64x64-64, against matmul, compiling pays after 99,700 (77,700 to 128,000) calls with "
        "fast; is not shown to pay with alike; never pays with slow"
    )
    assert payoff(found[found["verdict"] == ""]) == ("No first call could be compared with matmul")


# --- what is shown ---------------------------------------------------------------------------


def test_the_terminals_table_fits_and_says_why_something_is_missing(mixed):
    """Costs, number of calls and reason, in at most 100 columns."""
    file = io.StringIO()
    terminal.print_break_evens(mixed.break_evens, Console(file=file, width=100, highlight=False))
    text = file.getvalue()
    assert max(map(len, text.splitlines())) <= 100
    assert "99,700 (77,700 to 128,000)" in text
    assert "broken at 64x64-64: exited with status 3" in text
    assert [word in text for word in ("500 ms", "997 ms", "10.0 us", "20.0 us")] == [True] * 4


def test_the_chart_rings_the_crossing_where_the_lines_meet(mixed, chart_of_mixed):
    """The ring is at the number of calls and at matmul's total; who never pays has none."""
    drawn = chart_of_mixed
    assert (drawn.entry.name, drawn.part.name) == ("break-even", "square")
    (axes,) = [axes for axes, _ in drawn.chart.panels if axes.get_visible()]
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    (ring,) = rings
    row = mixed.break_evens.set_index("implementation").loc["fast"]
    assert ring.get_xdata()[0] == pytest.approx(row["calls"])
    assert ring.get_ydata()[0] == pytest.approx(row["calls"] * row["against_seconds"])
    assert axes.get_xlim()[1] > row["calls_high"]
    said = [point.text for point in drawn.chart.points]
    assert any("fast at 64x64-64: first call 997 ms" in text for text in said)
    assert "pays after 99,700 (77,700 to 128,000) calls with fast" in drawn.alternative


def test_a_sweep_has_three_panels_and_cases_of_ones_own_have_six(tmp_path):
    """The ends and the middle of a sweep; of cases without an axis the first six by size."""
    sizes = [square(2**k) for k in range(9)]
    times = {
        name: {case: [t, t * 1.01] for case in sizes}
        for name, t in (("matmul", 2e-5), ("fast", 1e-5))
    }
    firsts = {("fast", case): [1.0, 1.1] for case in sizes}
    for sweep, count in (("square", 3), ("shapes", 6)):
        whole = make(times, sweep=sweep, first_calls=firsts, baseline="matmul")
        drawn = only("break-even", whole, View(theme=DARK))
        headings = [a.get_title("left") for a, _ in drawn.chart.panels if a.get_visible()]
        assert len(headings) == count
        assert (headings[0], headings[-1]) == (sizes[0], sizes[-1])
        files = list(pictures.save(drawn, tmp_path, ("svg",)))
        assert [path.name for path in files] == [f"break-even-{sweep}-dark.svg"]


def test_more_series_than_colours_share_panels_with_matmul_in_each():
    """Six that compile need two panels of one case."""
    names = [f"rung_{number}" for number in range(6)]
    times = {"matmul": at(2e-5), **{name: at(1e-5 * (1 + 0.1 * i)) for i, name in enumerate(names)}}
    firsts = {(name, square(64)): [1.0, 1.1] for name in names}
    drawn = only("break-even", made_of(times, firsts))
    panels = [axes for axes, _ in drawn.chart.panels if axes.get_visible()]
    shown = [{text.get_text() for text in axes.texts} & {*names, "matmul"} for axes in panels]
    assert [len(each) for each in shown] == [5, 3]
    assert all("matmul" in each for each in shown)


def test_a_series_looks_the_same_for_every_case():
    """Also where another one is missing on one of them."""
    times = {"matmul": at(2e-5), "first": at(1e-5), "second": at(1.1e-5)}
    firsts = {(name, case): [1.0, 1.1] for name in ("first", "second") for case in LOOPS}
    del firsts["first", square(1)]
    drawn = only("break-even", made_of(times, firsts))
    colours = [
        {line.get_color() for line in axes.lines if line.get_gid() == f"{SERIES}second"}
        for axes, _ in drawn.chart.panels
        if axes.get_visible()
    ]
    assert len(colours) == 2
    assert all(LIGHT.series[1] in each for each in colours)


def test_a_crossing_beyond_the_axis_is_drawn_without_trouble():
    """A call that saves next to nothing pays after more calls than anybody makes."""
    times = {"matmul": at(1e-9 * (1 + 1e-3), (1.0,) * 10), "fast": at(1e-9, (1.0,) * 10)}
    drawn = only("break-even", made_of(times, {("fast", square(64)): [1.0, 1.0]}))
    axes = drawn.chart.panels[0][0]
    assert axes.get_xlim()[1] == 1e9
    assert "<svg" in drawn.chart.svg
    assert "pays after 1e12 calls with fast" in drawn.chart.title


@pytest.mark.slow
def test_the_page_has_chart_table_and_download(mixed):
    """The section is there with each row, and break-even.csv beside the other data."""
    page = report.make_page(mixed)
    assert "When does compiling pay?" in page
    assert "After how many calls compiling pays" in page
    assert "99,700 (77,700 to 128,000)" in page
    assert 'download="break-even.csv"' in page


def test_json_has_the_first_calls_and_nothing_infinite(mixed):
    """What is infinite is null there, since JSON has no such number; the verdict says it."""
    document = json.loads(json_export.write(mixed))
    rows = {row["implementation"]: row for row in document["first_calls"]}
    assert rows["slow"]["calls"] is None
    assert rows["slow"]["verdict"] == "never pays"
    assert rows["fast"]["calls"] == pytest.approx(
        mixed.break_evens.set_index("implementation").loc["fast", "calls"]
    )
