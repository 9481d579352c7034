"""The test file that a worker runs; `forwardbench.measure.worker` supplies the cells."""

from collections.abc import Callable

import pytest

from forwardbench.measure.entries import BENCHMARK_OPTIONS


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
def test_cell(record: Callable[[int], None], number: int) -> None:
    """Record the visits to one cell."""
    record(number)
