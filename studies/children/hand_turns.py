"""The pytest-benchmark file of `hand.py`, which supplies dtypes, turns and `visit`."""

import pytest

from forwardbench.measure.entries import BENCHMARK_OPTIONS


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
def test_turn(benchmark, visit, dtype, turn):
    """The suite times the rung, and then the loop by hand is timed."""
    visit(benchmark, dtype, turn)
