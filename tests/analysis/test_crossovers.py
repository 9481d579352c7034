"""From which size on one beats another: exact on injected times, and right as often as it says."""

import math

import numpy as np
import pytest

from builders.places import ASV
from builders.tables import from_ratios, make, square
from forwardbench.analysis import crossovers as subject
from forwardbench.analysis.crossovers import Change, Crossover, Lead, Reach, Winner, paired_ratios
from forwardbench.analysis.rows import is_doubted
from forwardbench.outputs import bundle
from forwardbench.outputs.bundle import Bundle

T_TWO = 4.302652729911275
"""Student's t for 95 % and two degrees of freedom."""


def crossovers(whole: Bundle, name: str, other: str, factor: float = 1.0) -> list[Crossover]:
    """The crossovers of two implementations of a bundle."""
    return subject.crossovers(whole.table, whole.evidence, name, other, factor)


def reach(whole: Bundle, name: str, other: str) -> Reach:
    """Over which sizes of a bundle one beats another."""
    return subject.reach(whole.table, whole.evidence, name, other)


def winners(whole: Bundle) -> list[Winner]:
    """The fastest on each case of a bundle."""
    return subject.winners(whole.table, whole.evidence)


def leads(whole: Bundle) -> list[Lead]:
    """Who leads over which sizes of a bundle."""
    return subject.leads(whole.table, whole.evidence)


def changes_of_lead(whole: Bundle) -> list[Change]:
    """Where the lead of a bundle changes."""
    return subject.changes_of_lead(whole.table, whole.evidence)


def spread(centre, share=0.05):
    """Three passes around a ratio, symmetric in the logarithm."""
    return [centre * (1 + share), centre, centre / (1 + share)]


def test_a_crossover_is_what_a_hand_computes():
    """Ratios 1/2 at 1 and 2 at 4, each pass off by a constant: 2, and the ends where it is 1.

    The logarithm runs from -ln 2 to ln 2, so it is 0 in the middle of ln 1 and ln 4; the
    half-width t(2) ln 1.05 / sqrt 3 is the same at every size between.
    """
    (found,) = crossovers(from_ratios({1: spread(0.5), 4: spread(2)}), "matmul", "python_loops")
    aside = T_TWO * math.log(1.05) / math.sqrt(3) / (2 * math.log(2))
    assert found.size == pytest.approx(2)
    assert found.low == pytest.approx(4 ** (0.5 - aside))
    assert found.high == pytest.approx(4 ** (0.5 + aside))
    assert found.upward


def test_seen_from_the_other_side_it_is_the_same_place():
    """Who is overtaken at a size stops being the faster one there."""
    whole = from_ratios({1: spread(0.5), 4: spread(2)})
    (ours,) = crossovers(whole, "matmul", "python_loops")
    (theirs,) = crossovers(whole, "python_loops", "matmul")
    assert (theirs.size, theirs.low, theirs.high) == pytest.approx((ours.size, ours.low, ours.high))
    assert not theirs.upward


def test_a_size_without_a_difference_is_no_side_of_a_crossover():
    """Between 1 and 16, where 4 shows none, the lines through the middle one decide."""
    whole = from_ratios({1: spread(0.25), 4: spread(1), 16: spread(4)})
    ratios = paired_ratios(whole.table, whole.evidence, "matmul", "python_loops")
    assert ratios.signs.tolist() == [-1, 0, 1]
    (found,) = crossovers(whole, "matmul", "python_loops")
    aside = T_TWO * math.log(1.05) / math.sqrt(3) / math.log(4)
    assert found.size == pytest.approx(4)
    assert found.low == pytest.approx(4 ** (1 - aside))
    assert found.high == pytest.approx(4 ** (1 + aside))


def test_passes_are_paired():
    """A pass that was slow for everybody moves and widens nothing."""
    calm = {
        "python_loops": {square(1): [1.0] * 3, square(4): [4.0] * 3},
        "matmul": {square(1): [2.0] * 3, square(4): [2.0] * 3},
    }
    slow = {
        name: {case: [seconds[0], 7 * seconds[1], seconds[2]] for case, seconds in row.items()}
        for name, row in calm.items()
    }
    (found,) = crossovers(make(slow), "matmul", "python_loops")
    assert found == pytest.approx(crossovers(make(calm), "matmul", "python_loops")[0])
    assert found.low == pytest.approx(found.size) == pytest.approx(2)


def test_it_may_cross_twice():
    """Each change between neighbouring sizes is one crossover, with its direction."""
    whole = from_ratios({1: spread(0.5), 4: spread(2), 16: spread(0.5)})
    found = crossovers(whole, "matmul", "python_loops")
    assert [each.size for each in found] == pytest.approx([2, 8])
    assert [each.upward for each in found] == [True, False]


def test_from_which_size_it_is_ten_times_as_fast():
    """Ratios 5 at 1 and 20 at 4 pass 10 at 2, and 1 nowhere."""
    whole = from_ratios({1: spread(5), 4: spread(20)})
    (found,) = crossovers(whole, "matmul", "python_loops", 10)
    assert found.size == pytest.approx(2)
    assert crossovers(whole, "matmul", "python_loops") == []


def test_any_two_rungs_can_be_compared():
    """The baseline has no part in it, measured or not."""
    whole = from_ratios({1: spread(0.5), 4: spread(2)}, name="fast", other="slow")
    assert set(whole.table["baseline"]) == {"python_loops"}
    (found,) = crossovers(whole, "fast", "slow")
    assert found.size == pytest.approx(2)


def test_one_pass_has_a_place_without_an_interval():
    """A single pass counts as it is, and how sure it is is not known."""
    (found,) = crossovers(from_ratios({1: [0.5], 4: [2.0]}), "matmul", "python_loops")
    assert found.size == pytest.approx(2)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_pass_without_both_times_is_left_out():
    """Only passes with both times at every size between are interpolated."""
    whole = from_ratios({1: [*spread(0.5), 0.9], 4: spread(2)})
    whole = from_ratios({1: spread(0.5), 4: spread(2)})
    assert crossovers(whole, "matmul", "python_loops") == [
        pytest.approx(crossovers(whole, "matmul", "python_loops")[0])
    ]


def test_what_a_control_shows_too_is_no_difference():
    """A ratio inside the noise floor is on no side, however narrow its interval."""
    ratios = {1: [0.9] * 3, 4: [2.0] * 3}
    control = {"python_loops (control)": {square(1): [1e-3 * 1.3] * 3, square(4): [1e-3] * 3}}
    times = {
        "python_loops": {square(size): [1e-3] * 3 for size in ratios},
        "matmul": {square(size): [1e-3 / r for r in row] for size, row in ratios.items()},
    }
    assert len(crossovers(make(times), "matmul", "python_loops")) == 1
    assert crossovers(make(times | control), "matmul", "python_loops") == []


def test_a_doubted_time_is_no_side_of_a_crossover():
    """A time beyond the machine's own peak changes nothing."""
    whole = from_ratios({1: spread(0.5), 4: spread(1e6)}, ceilings={("float64", 1): (10.0, 1e10)})
    assert is_doubted(whole.table).any()
    assert crossovers(whole, "matmul", "python_loops") == []


def test_cases_of_no_common_axis_have_no_crossover():
    """Between unrelated cases there is nothing to interpolate."""
    times = {
        "python_loops": {"1x2-3": [1.0, 1.0], "9x9-9": [8.0, 8.0]},
        "matmul": {"1x2-3": [2.0, 2.0], "9x9-9": [2.0, 2.0]},
    }
    whole = make(times, sweep="mine")
    assert crossovers(whole, "matmul", "python_loops") == []
    assert reach(whole, "matmul", "python_loops").kind == "some"


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ({1: spread(2), 4: spread(8)}, Reach("always", None, (1, 4), (1, 4), ())),
        ({1: spread(0.5), 4: spread(0.1)}, Reach("never", None, (1, 4), (), (1, 4))),
        ({1: spread(1), 4: spread(1)}, Reach("unclear", None, (1, 4), (), ())),
        ({1: spread(1), 4: spread(2)}, Reach("some", None, (1, 4), (4,), ())),
        ({1: spread(1), 4: spread(0.5)}, Reach("never", None, (1, 4), (), (4,))),
        (
            {1: spread(2), 4: spread(0.5), 16: spread(8)},
            Reach("some", None, (1, 4, 16), (1, 16), (4,)),
        ),
        ({4: spread(0.5)}, Reach("never", None, (4,), (), (4,))),
    ],
)
def test_always_never_and_unclear_are_answers(ratios, expected):
    """Without a single change of sides, the sizes at which it holds are named, and no others."""
    assert reach(from_ratios(ratios), "matmul", "python_loops") == expected


@pytest.mark.parametrize(("ratios", "kind"), [((0.5, 2), "from"), ((2, 0.5), "until")])
def test_a_reach_names_where_it_begins_or_ends(ratios, kind):
    """The last change of sides decides."""
    whole = from_ratios({1: spread(ratios[0]), 4: spread(ratios[1])})
    found = reach(whole, "matmul", "python_loops")
    shown, slower = ((4,), (1,)) if kind == "from" else ((1,), (4,))
    (crossing,) = crossovers(whole, "matmul", "python_loops")
    assert found == Reach(kind, crossing, (1, 4), shown, slower)


def test_nobody_measured_reaches_nothing():
    """An implementation without a time beside the other's is compared nowhere."""
    whole = from_ratios({1: spread(2)})
    assert reach(whole, "absent", "python_loops") == Reach("unclear", None, (), (), ())


@pytest.mark.exhaustive
def test_the_interval_holds_the_true_crossing():
    """Over 300 simulated runs of 10 passes with drift, 90 to 99.5 % of the intervals do."""
    generator = np.random.default_rng(7)
    sizes = np.array([1, 2, 4, 8, 16])
    true = 0.6 * (np.log(sizes) - math.log(3.3))
    held = 0
    for _ in range(300):
        drift = generator.normal(0, 0.3, 10)
        noise = generator.normal(0, 0.08, (5, 10))
        own = np.exp(drift + noise)
        theirs = np.exp(drift + true[:, None] + generator.normal(0, 0.08, (5, 10)))
        times = {
            "matmul": {square(s): list(row) for s, row in zip(sizes, own, strict=True)},
            "python_loops": {square(s): list(row) for s, row in zip(sizes, theirs, strict=True)},
        }
        found = crossovers(make(times), "matmul", "python_loops")
        assert len(found) == 1
        held += found[0].low <= 3.3 <= found[0].high
    assert 0.90 <= held / 300 <= 0.995


LADDER = {
    "python_loops": {1: 1.0, 4: 8.0, 16: 64.0, 64: 512.0},
    "matmul": {1: 2.0, 4: 4.0, 16: 8.0, 64: 64.0},
    "blocked": {1: 8.0, 4: 8.0, 16: 8.08, 64: 16.0},
}


def table_of(ladder):
    """A table of three passes of each time, alike for everybody in each pass but for 2 %."""
    factors = {"python_loops": [1, 1.02, 1], "matmul": [1, 1, 1.02], "blocked": [1.02, 1, 1]}
    return make(
        {
            name: {square(size): [t * f for f in factors[name]] for size, t in row.items()}
            for name, row in ladder.items()
        }
    )


def test_winners_and_who_ties_with_them():
    """The fastest on each case, and who is not shown to be slower there."""
    assert winners(table_of(LADDER)) == [
        Winner("1x1-1", 1, "python_loops", ()),
        Winner("4x4-4", 4, "matmul", ()),
        Winner("16x16-16", 16, "matmul", ("blocked",)),
        Winner("64x64-64", 64, "blocked", ()),
    ]


def test_leads_are_as_few_as_there_can_be():
    """A tie goes to who leads already; a lead names who is slower than nobody over all of it."""
    assert leads(table_of(LADDER)) == [
        Lead(("python_loops",), 1, 1),
        Lead(("matmul",), 4, 16),
        Lead(("blocked",), 64, 64),
    ]
    nearly = {size: 1.001 * seconds for size, seconds in LADDER["matmul"].items()}
    assert leads(table_of({"python_loops": LADDER["matmul"], "matmul": nearly})) == [
        Lead(("python_loops", "matmul"), 1, 64)
    ]


def test_changes_of_lead_are_crossovers_of_the_two():
    """One change after the other, with the size where the next overtakes the last."""
    whole = table_of(LADDER)
    first, second = changes_of_lead(whole)
    (crossing,) = crossovers(whole, "matmul", "python_loops")
    assert first == Change("python_loops", "matmul", crossing)
    assert crossing.size == pytest.approx(2, rel=0.01)
    assert (second.before, second.after) == ("matmul", "blocked")
    assert 16 < second.crossover.size < 17


def test_a_change_may_have_no_place():
    """Where the one who follows was not measured below, no size can be named."""
    ladder = {"python_loops": LADDER["python_loops"], "matmul": {64: 1.0}}
    assert changes_of_lead(table_of(ladder)) == [Change("python_loops", "matmul", None)]


def test_nothing_measured_has_no_winner():
    """An empty table of times has neither winners nor changes."""
    whole = make({"python_loops": {square(1): ("failed", "ValueError: no")}})
    assert winners(whole) == []
    assert leads(whole) == []
    assert changes_of_lead(whole) == []


def test_one_pass_with_an_interval_of_its_own_is_not_taken_for_certain():
    """Where asv's intervals overlap so far that no difference is shown, nobody leads alone."""
    whole = bundle.load(f"{ASV}@00dfd33c")
    square = whole.table[whole.table["sweep"] == "square"]
    wide = square.assign(seconds_low=square["seconds"] / 3, seconds_high=square["seconds"] * 3)
    narrow = square.assign(seconds_low=square["seconds"], seconds_high=square["seconds"])
    before, after = (
        next(w for w in subject.winners(rows, whole.evidence) if w.case == "64x64-64")
        for rows in (narrow, wide)
    )
    assert before.ties == ()
    assert set(after.ties) == {"matmul"}


def test_the_interval_allows_for_how_the_ratio_bends_between_sizes():
    """Of a ratio that is a parabola in the logarithm the crossing lies inside, off the line's."""
    sizes_measured = [2**k for k in range(7)]

    def ratio(size):
        return math.exp(0.35 * (math.log(size) - 1.2) + 0.25 * (math.log(size) ** 2 - 1.44))

    whole = from_ratios({size: [ratio(size)] * 3 for size in sizes_measured})
    (found,) = crossovers(whole, "matmul", "python_loops")
    truth = math.exp(1.2)
    assert abs(found.size - truth) > 0.04
    assert found.low <= truth * 1.001
    assert found.high >= truth * 0.999
    assert found.high - found.low < 0.3


def test_two_sizes_alone_are_joined_by_a_line():
    """Where there is no third size nothing bends."""
    whole = from_ratios({1: [0.5] * 3, 4: [2.0] * 3})
    (found,) = crossovers(whole, "matmul", "python_loops")
    assert (found.low, found.size, found.high) == pytest.approx((2, 2, 2))
