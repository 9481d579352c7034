"""The speed of the CPU around rounds."""

from forwardbench.verification import rounds


def test_the_gauge_is_always_the_same_work():
    """It takes the time between two readings of the clock, and changes nothing."""
    clock = iter([2.0, 2.5])
    assert rounds.gauge(clock.__next__) == 0.5
