"""Tests for `forwardbench.measure.calm`: which rounds count."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.measure.calm import SLOWED, Calm, Round

GAUGE = 1e-4
"""Seconds that a fixed piece of work usually takes here."""


def calm_with(usual=GAUGE, count=8):
    """What has seen so many measurements of the CPU's speed."""
    calm = Calm()
    calm.gauges += [usual] * count
    return calm


def test_a_round_is_calm_if_it_had_its_cpu_and_the_cpu_was_as_fast_as_usual():
    """Exactly at the limits: 5 % of the time, and 1.3 times as long."""
    calm = calm_with()
    assert not calm.was_disturbed(Round(1.0, 0.96, GAUGE))
    assert calm.was_disturbed(Round(1.0, 0.94, GAUGE))
    assert not calm.was_disturbed(Round(1.0, 1.0, 1.29 * GAUGE))
    assert calm.was_disturbed(Round(1.0, 1.0, 1.31 * GAUGE))


def test_several_threads_have_more_cpu_time_than_time_goes_by():
    """That is no disturbance, and does not outweigh one either."""
    assert not calm_with().was_disturbed(Round(1.0, 1.9, GAUGE))
    assert Round(1.0, 1.9, GAUGE).kept == 1.0


def test_nobody_can_tell_what_is_usual_from_a_few_measurements():
    """Only the CPU time tells then."""
    assert not calm_with(count=7).was_disturbed(Round(1.0, 1.0, 100 * GAUGE))
    assert calm_with(count=7).was_disturbed(Round(1.0, 0.5, GAUGE))


def test_only_calm_rounds_count_if_there_are_any():
    """However few they are, and however long they took."""
    calm_one = Round(9.0, 9.0, GAUGE)
    lost, slowed = Round(1.0, 0.5, GAUGE), Round(1.0, 1.0, 2 * GAUGE)
    assert calm_with().least_disturbed([lost, slowed, calm_one, lost]) == [calm_one]


def test_the_half_that_suffered_least_counts_if_all_rounds_were_disturbed():
    """A round that lost a tenth on a CPU half as fast suffered more than one that lost a third."""
    tenth, third = Round(1.0, 0.9, 2 * GAUGE), Round(1.0, 0.67, GAUGE)
    all_of_it = Round(1.0, 0.0, GAUGE)
    assert calm_with().least_disturbed([tenth, third, all_of_it]) == [third, tenth]


ROUNDS = st.lists(
    st.builds(
        lambda seconds, kept, slowed: Round(seconds, kept * seconds, slowed * GAUGE),
        st.floats(1e-3, 1.0),
        st.floats(0.0, 1.0),
        st.sampled_from([1.0, SLOWED / 1.05, SLOWED * 1.05, 2.0]),
    ),
    min_size=1,
    max_size=20,
)


@given(ROUNDS, st.floats(0.1, 10.0))
def test_the_rounds_own_times_never_decide(rounds, factor):
    """Were each round and its CPU time longer by a factor of its own, the same would count."""
    calm = calm_with()
    factors = [factor ** (number % 3) for number in range(len(rounds))]
    longer = [
        Round(one.seconds * by, one.cpu_seconds * by, one.gauge)
        for one, by in zip(rounds, factors, strict=True)
    ]
    disturbed = [math.isclose(1 - one.kept, 0.05, rel_tol=1e-6) for one in rounds]
    kept = [one.kept / one.gauge for one in rounds]
    if any(disturbed) or any(
        math.isclose(a, b, rel_tol=1e-9) for a in kept for b in kept if a is not b
    ):
        return  # rounding may tip the balance
    numbers = [rounds.index(one) for one in calm.least_disturbed(rounds)]
    assert [longer.index(one) for one in calm.least_disturbed(longer)] == numbers


def test_no_visit_takes_more_than_a_quarter_of_what_is_left():
    """So that one slow cell does not use up what all cells share."""
    calm = calm_with()
    calm.spare_seconds = 1.0
    assert not calm.spend(0.26)
    assert calm.spend(0.25)
    assert calm.spare_seconds == pytest.approx(0.75)
