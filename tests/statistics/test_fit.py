"""Times predicted from the work."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.places import REFERENCE
from forwardbench.analysis.estimates import FIT_POINTS
from forwardbench.cases import parse_case
from forwardbench.statistics.fit import DRIFT, fit_times
from forwardbench.workloads import get

WORK = get("forward").work
SQUARES = [WORK(parse_case(f"{n}x{n}-{n}")) for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)]


def seconds_of(work, call=1e-6, output=2e-7, multiply_add=3e-8):
    """Seconds of work that costs exactly so much."""
    return call + output * work.outputs + multiply_add * work.multiply_adds


def test_exact_costs_are_found_and_extrapolated():
    """Times made of the three costs are predicted exactly, three doublings beyond the last."""
    measured = SQUARES[:7]
    fit = fit_times(measured, [seconds_of(case) for case in measured])
    assert fit.costs == pytest.approx((1e-6, 2e-7, 3e-8), rel=1e-6)
    for case in SQUARES[7:]:
        estimate = fit.estimate(case)
        assert estimate.seconds == pytest.approx(seconds_of(case), rel=1e-6)
        assert estimate.low
        assert estimate.high
        assert estimate.low <= estimate.seconds <= estimate.high


@given(costs=st.tuples(*[st.floats(0, 1e-3)] * 3).filter(lambda costs: max(costs) > 1e-9))
def test_no_cost_is_negative(costs):
    """Whatever the times, the fitted costs are not, so no prediction is."""
    times = [max(seconds_of(case, *costs), 1e-12) for case in SQUARES[:6]]
    fit = fit_times(SQUARES[:6], times)
    assert min(fit.costs) >= 0
    assert fit.seconds(SQUARES[-1]) > 0


def test_falling_times_are_taken_as_a_fixed_cost():
    """Noise that makes larger sizes look cheaper does not extrapolate below zero."""
    fit = fit_times(SQUARES[:4], [4e-6, 3.5e-6, 3.3e-6, 3.2e-6])
    assert fit.seconds(SQUARES[-1]) == pytest.approx(3.5e-6, rel=0.2)


def test_few_points_give_a_prediction_without_an_interval():
    """Three costs through three points fit perfectly and prove nothing."""
    fit = fit_times(SQUARES[:3], [seconds_of(case) for case in SQUARES[:3]])
    assert fit.estimate(SQUARES[4])[1:] == (None, None)
    assert fit_times(SQUARES[:1], [1.0]) is None
    assert fit_times([], []) is None


def test_the_interval_holds_a_new_time_nearly_always():
    """With 3 % noise, the 95 % prediction interval holds at least 90 % of times left out."""
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        noisy = [seconds_of(case) * np.exp(generator.normal(0, 0.03)) for case in SQUARES[:9]]
        estimate = fit_times(SQUARES[:8], noisy[:8]).estimate(SQUARES[8])
        held += estimate.low <= noisy[8] <= estimate.high
    assert held / 400 >= 0.9


LIMITS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


def test_measured_sizes_that_are_left_out_lie_in_the_interval():
    """As a lower --limit would have it: at least 90 % of the times beyond are as predicted.

    On the committed reference run, for each rung of the sweep `square` and several limits.
    """
    table = pd.read_csv(REFERENCE / "table.csv")
    own = ~table["implementation"].str.endswith(" (control)")
    table = table[own & (table["status"] == "measured") & (table["sweep"] == "square")]
    held = []
    for _, rows in table.groupby("implementation"):
        pairs = [
            (WORK(parse_case(case)), time)
            for case, time in zip(rows["case"], rows["seconds"], strict=True)
        ]
        for limit in LIMITS:
            known = [(case, time) for case, time in pairs if time <= limit]
            fit = fit_times(*zip(*known, strict=True)) if len(known) >= FIT_POINTS else None
            for case, time in pairs if fit else ():
                if time > limit:
                    estimate = fit.estimate(case)
                    held.append(estimate.low <= time <= estimate.high)
    assert len(held) > 60
    assert np.mean(held) >= 0.9


def test_the_further_away_the_wider_the_interval():
    """Beyond the largest size the interval widens with the work; before it, it does not."""
    noise = np.random.default_rng(2).normal(0, 0.01, 6)
    times = [seconds_of(case) * np.exp(each) for case, each in zip(SQUARES[:6], noise, strict=True)]
    fit = fit_times(SQUARES[:6], times)
    estimates = [fit.estimate(case) for case in SQUARES[3:]]
    widths = [each.high / each.low for each in estimates if each.low and each.high]
    assert len(widths) == len(estimates)
    assert widths[0] == pytest.approx(widths[1]) == pytest.approx(widths[2])
    assert widths[2:] == sorted(widths[2:])
    assert widths[3] / widths[2] == pytest.approx(8 ** (2 * DRIFT))
