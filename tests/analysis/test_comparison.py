"""Comparisons: a difference is called one only where passes, noise and machine leave no doubt."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from builders.charts import only
from builders.run_folders import QUIET, rewrite, spread
from builders.tables import make_results
from forwardbench import results
from forwardbench.analysis import comparison
from forwardbench.analysis.comparison_findings import describe_drift, sentences
from forwardbench.errors import UserError
from forwardbench.outputs.bundle import Bundle
from forwardbench.statistics.intervals import ratio_interval


def row(found, name, case="4x4-4"):
    """One cell of a comparison."""
    cells = found.cells
    (only,) = cells[(cells["implementation"] == name) & (cells["case"] == case)].to_dict("records")
    return only


def load_both(paths: Sequence[Path]) -> tuple[results.Results, results.Results]:
    """Read both runs."""
    before, after = paths
    return results.load(before), results.load(after)


def test_the_interval_of_two_samples_is_yuens():
    """SciPy's own trimmed Welch test says the same, on ten passes and on five."""
    generator = np.random.default_rng(1)
    for count, trim in ((10, 0.15), (5, 0.0)):
        one, other = generator.normal(0, 1, count), generator.normal(1, 2, count + 3)
        trim = 0.15 if min(len(one), len(other)) >= 7 else trim
        found = ratio_interval(one, other)
        expected = stats.ttest_ind(other, one, equal_var=False, trim=trim)
        low, high = expected.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))
        centre = stats.trim_mean(other, trim) - stats.trim_mean(one, trim)
        assert found.centre == pytest.approx(math.exp(centre))


@pytest.mark.exhaustive
def test_intervals_of_two_samples_hold_the_truth():
    """Of 2,000 simulated pairs of runs of ten passes, 93 to 97 % of intervals do."""
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        one, other = generator.normal(0, 0.02, 10), generator.normal(0.3, 0.05, 10)
        found = ratio_interval(one, other)
        held += found.low <= math.exp(0.3) <= found.high
    assert 0.93 <= held / 2000 <= 0.97


def test_a_change_of_one_implementation_is_its_own(two_runs):
    """Twice as slow is half as fast; who did not change is not shown to differ."""
    found = comparison.compare(*load_both(two_runs((2.0, 1.0))))
    changed, other = row(found, "matmul"), row(found, "neuron_dot")
    assert changed["ratio"] == pytest.approx(0.5, rel=0.01)
    assert changed["ratio_low"] < 0.5 < changed["ratio_high"]
    assert changed["verdict"] == "slower"
    assert other["verdict"] == "no difference shown"
    assert found.means["matmul"].centre == pytest.approx(0.5, rel=0.01)
    assert found.overall.centre == pytest.approx(math.sqrt(0.5), rel=0.01)


def test_a_slower_machine_is_no_slower_code(two_runs):
    """All times 1.3-fold, the baseline's too: no cell is called slower, and the drift is said."""
    found = comparison.compare(*load_both(two_runs(machine=1.3)))
    assert set(found.cells["verdict"]) == {"no difference shown", "not comparable"}
    assert found.drift.centre == pytest.approx(1 / 1.3, rel=0.01)
    said = describe_drift(found)
    assert "In seconds it was itself 0.769 times as fast in the second" in said


def test_less_than_the_machine_moved_is_not_shown(two_runs):
    """A change of 10 % on a machine that moved by 30 % could be the machine's; 50 % could not."""
    found = comparison.compare(*load_both(two_runs((1.1, 1.5), machine=1.3)))
    assert row(found, "matmul")["verdict"] == "no difference shown"
    assert row(found, "neuron_dot")["verdict"] == "slower"


def test_seconds_can_be_compared_as_they_are(two_runs):
    """Then a slower machine is slower everywhere, the baseline included."""
    found = comparison.compare_seconds(*load_both(two_runs(machine=1.3)))
    assert set(found.cells["verdict"]) == {"slower"}
    assert row(found, "python_loops")["ratio"] == pytest.approx(1 / 1.3, rel=0.01)
    assert math.isnan(found.drift.centre)


def test_the_baseline_is_not_compared_with_itself(two_runs):
    """It says so, and how to compare its seconds."""
    found = comparison.compare(*load_both(two_runs()))
    said = row(found, "python_loops")
    assert said["verdict"] == "not comparable"
    assert "--seconds" in said["reason"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda document: document["machine_info"]["cpu"].update(brand_raw="Another"),
            "different machines: Made-up CPU, 2 CPUs and Another, 2 CPUs",
        ),
        (lambda document: document.pop("machine_info"), "the machine was not recorded"),
        (
            lambda document: [
                each["extra_info"].update(workload_version=2) for each in document["benchmarks"]
            ],
            "different inputs: workload versions 1 and 2",
        ),
    ],
)
def test_what_cannot_be_compared_is_shown_and_said(two_runs, change, reason):
    """The ratio stays, the verdict says not comparable and why, and no mean is made of it."""
    paths = two_runs((2.0, 1.0))
    rewrite(paths[1], change)
    found = comparison.compare(*load_both(paths))
    assert set(found.cells["verdict"]) == {"not comparable"}
    assert row(found, "matmul")["reason"] == reason
    assert row(found, "matmul")["ratio"] == pytest.approx(0.5, rel=0.01)
    assert found.means == {}


def test_a_cell_of_one_side_only_is_named(write_run):
    """Missing, failed: each with the side and the reason."""
    first = {"python_loops": {"4x4-4": [1.0, 1.0]}, "matmul": {"4x4-4": [0.5, 0.5]}}
    second = {"python_loops": {"4x4-4": [1.0, 1.0]}, "matmul": {"4x4-4": ["ValueError: no"]}}
    second["neuron_dot"] = {"4x4-4": [0.7, 0.7]}
    found = comparison.compare(
        results.load(write_run(first, name="a")), results.load(write_run(second, name="b"))
    )
    assert row(found, "matmul")["reason"] == "failed in the second: ValueError: no"
    assert row(found, "neuron_dot")["reason"] == "not in the first"


def test_one_pass_shows_no_difference(write_run):
    """A ratio without an interval proves nothing."""
    times = {"python_loops": {"4x4-4": [1.0]}, "matmul": {"4x4-4": [0.5]}}
    slower = {"python_loops": {"4x4-4": [1.0]}, "matmul": {"4x4-4": [0.9]}}
    found = comparison.compare(
        results.load(write_run(times, name="a")), results.load(write_run(slower, name="b"))
    )
    said = row(found, "matmul")
    assert (said["verdict"], said["reason"]) == ("no difference shown", "one pass, so no interval")


def test_a_baseline_that_was_not_measured_is_refused(two_runs):
    """One line that says which side lacks it and what else to do."""
    with pytest.raises(UserError, match="the first results have no time of the baseline einsum"):
        comparison.compare(*load_both(two_runs()), "einsum")


def test_the_mean_is_as_unsure_as_cases_differ(write_run):
    """Twice as fast on one case, half on the other: on average nothing is shown."""

    def times(factors):
        return {
            name: {
                case: spread(seconds * (factor if name == "matmul" else 1), np.roll(QUIET, place))
                for case, factor in zip(("4x4-4", "64x64-64"), factors, strict=True)
            }
            for place, (name, seconds) in enumerate({"python_loops": 1e-3, "matmul": 1e-5}.items())
        }

    first, second = write_run(times((1, 1)), name="a"), write_run(times((2, 0.5)), name="b")
    mean = comparison.compare(results.load(first), results.load(second)).overall
    assert mean.centre == pytest.approx(1.0, rel=0.01)
    assert mean.low < 0.8
    assert mean.high > 1.25


def test_implementations_that_share_a_baseline_count_once(two_runs):
    """One twice as fast, one half as fast, on every case alike: sure to be 1 on average."""
    mean = comparison.compare(*load_both(two_runs((2.0, 0.5)))).overall
    assert mean.centre == pytest.approx(1.0, rel=0.01)
    assert mean.low > 0.97
    assert mean.high < 1.03


def test_a_change_of_the_baselines_own_code_is_nobody_elses(two_runs, write_run):
    """Where only the baseline got twice as fast, no other is called slower."""
    first, _ = two_runs()
    second = write_run(
        {
            name: {case: spread(seconds, QUIET[::-1]) for case in ("4x4-4", "64x64-64")}
            for name, seconds in
            {"python_loops": 0.5e-3, "matmul": 1e-5, "neuron_dot": 1e-4}.items()
        },
        name="faster",
    )  # fmt: skip
    found = comparison.compare(results.load(first), results.load(second))
    assert row(found, "matmul")["ratio"] == pytest.approx(0.5, rel=0.02)
    assert set(found.cells["verdict"]) == {"no difference shown", "not comparable"}


def test_a_forest_shows_every_ratio_and_mean(two_runs):
    """A panel for each implementation; marks by verdict; values that can be asked."""
    before, after = load_both(two_runs((2.0, 1.0)))
    found = comparison.compare(before, after)
    drawn = only("forest", Bundle(after, comparison=found, sides="a and b"))
    said = [point.text for point in drawn.chart.points]
    assert any(text.startswith("matmul at 4x4-4: 0.500x (") and "slower" in text for text in said)
    titles = [axes.get_title("left") for axes, _ in drawn.chart.panels if axes.get_visible()]
    assert titles == ["neuron_dot", "matmul"]


def test_the_baselines_own_move_on_a_case_counts_there(write_run):
    """Where only the baseline changed, on one case, nobody else is called slower on it."""
    base = {"python_loops": 1e-3, "matmul": 1e-5}
    cases = ("1x1-1", "2x2-2", "4x4-4", "8x8-8", "16x16-16", "32x32-32", "64x64-64", "128x128-128")

    def times(change):
        return {
            name: {
                case: spread(
                    seconds * (change if (name, case) == ("python_loops", "64x64-64") else 1),
                    np.roll(QUIET, place),
                )
                for case in cases
            }
            for place, (name, seconds) in enumerate(base.items())
        }

    found = comparison.compare(
        results.load(write_run(times(1.0), name="a")), results.load(write_run(times(0.9), name="b"))
    )
    assert row(found, "matmul", "64x64-64")["ratio"] == pytest.approx(0.9, rel=0.01)
    assert row(found, "matmul", "64x64-64")["verdict"] == "no difference shown"


def test_the_mean_is_that_of_the_ratios_shown(write_run):
    """Outlying passes that trimming keeps out of each ratio stay out of their mean."""
    cases = [f"{n}x{n}-{n}" for n in (1, 2, 4)]
    noise = np.random.default_rng(5).normal(0, 0.002, (3, 2, 10))

    def times(outlier):
        return {
            "python_loops": {case: [1e-3] * 10 for case in cases},
            "matmul": {
                case: [
                    1e-5 * math.exp(noise[place, int(outlier), number])
                    * (50.0 if outlier and number == place else 1.0)
                    for number in range(10)
                ]
                for place, case in enumerate(cases)
            },
        }  # fmt: skip

    found = comparison.compare(
        results.load(write_run(times(False), name="a")),
        results.load(write_run(times(True), name="b")),
    )
    ratios = found.cells.loc[found.cells["implementation"] == "matmul", "ratio"]
    assert found.overall.centre == pytest.approx(math.exp(np.log(ratios).mean()))
    assert found.overall.centre == pytest.approx(1.0, abs=0.01)


# --- what broke --------------------------------------------------------------------------

PEAK = {("float64", 1): (50.0, 1e12)}
CREDIBLE, TOO_FAST = 1e-4, 1e-9
"""Seconds of a product of 64 by 64: below this machine's peak, and far beyond it."""


def times_of_matmul(seconds):
    """Results of loops, and of matmul in that many seconds."""
    times = {"python_loops": {"64x64-64": [8e-3] * 3}, "matmul": {"64x64-64": [seconds] * 3}}
    times["neuron_dot"] = {"64x64-64": [4e-3] * 3}
    return make_results(times, ceilings=PEAK, machine="Made-up")


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        (CREDIBLE, CREDIBLE, []),
        (TOO_FAST, CREDIBLE, []),
        (TOO_FAST, TOO_FAST, []),
        (CREDIBLE, TOO_FAST, ["matmul"]),
    ],
)
def test_only_what_had_a_credible_time_can_break(before, after, names):
    """What was not believed in the first and is in the second got better, not broken."""
    found = comparison.compare(times_of_matmul(before), times_of_matmul(after))
    assert comparison.broken(found)["implementation"].tolist() == names
    said = row(found, "matmul", "64x64-64")
    assert (said["credible_before"], said["credible_after"]) == (
        before == CREDIBLE,
        after == CREDIBLE,
    )
    assert (said["status_before"], said["status_after"]) == ("measured", "measured")


def test_an_incredible_time_is_not_compared_and_says_in_which_of_the_two():
    """The reason keeps its details; the sentence counts cells of one obstacle together."""
    found = comparison.compare(times_of_matmul(TOO_FAST), times_of_matmul(CREDIBLE))
    said = row(found, "matmul", "64x64-64")
    assert said["reason"] == (
        "not credible in the first: implausible: 524,288 GFLOP/s where this machine reached 50"
    )
    assert said["obstacle"] == "not credible in the first"
    assert "Not comparable, 1 cell: not credible in the first." in list(sentences(found))


def test_a_reason_that_only_sounds_so_is_no_obstacle():
    """Credible rows are compared whatever their reason says."""
    before, after = times_of_matmul(CREDIBLE), times_of_matmul(CREDIBLE / 2)
    plain = comparison.compare(before, after)
    for each in (before, after):
        each.cells["reason"] = "implausible: 9 GFLOP/s where this machine reached 1"
    found = comparison.compare(before, after)
    assert found.cells["verdict"].tolist() == plain.cells["verdict"].tolist()
    assert found.cells["ratio"].tolist() == pytest.approx(
        plain.cells["ratio"].tolist(), nan_ok=True
    )
    assert comparison.broken(found).empty
