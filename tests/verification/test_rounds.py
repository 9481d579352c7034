"""The speed of the CPU around rounds."""

from itertools import count, repeat

import pytest

from forwardbench.verification import rounds


@pytest.fixture
def speeds(monkeypatch):
    """Seconds that the gauge shows, one after another."""
    shown = []
    monkeypatch.setattr(rounds, "gauge", lambda timer: shown.pop(0))
    return shown


def test_a_fast_cpu_is_not_waited_for(speeds):
    """One look is enough."""
    speeds += [1e-4, 5e-5]
    assert rounds.wait_for_speed(1e-4, 1.0, count().__next__) == (1e-4, 0.0)
    assert speeds == [5e-5]


def test_a_slow_cpu_is_waited_for(speeds):
    """Until it is as fast as it should be; the time counts from the first look."""
    speeds += [3e-4, 2e-4, 1e-4]
    assert rounds.wait_for_speed(1e-4, 10.0, count().__next__) == (1e-4, 2)


def test_patience_ends(speeds):
    """What the gauge shows at last is returned, whatever it is."""
    speeds += [*repeat(3e-4, 9)]
    assert rounds.wait_for_speed(1e-4, 3.0, count().__next__) == (3e-4, 3)
    assert len(speeds) == 5


def test_the_gauge_is_always_the_same_work():
    """It takes the time between two readings of the clock, and changes nothing."""
    clock = iter([2.0, 2.5])
    assert rounds.gauge(clock.__next__) == 0.5
