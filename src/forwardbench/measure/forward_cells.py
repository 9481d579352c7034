"""The pytest-benchmark file of a worker; `forwardbench.measure.worker` supplies the cells."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench.measure.cells import BENCHMARK_OPTIONS, Cell, benchmark_cell


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
def test_forward(benchmark: BenchmarkFixture, cell: Cell, seconds: float) -> None:
    """Time one cell and check its result."""
    benchmark_cell(benchmark, cell, seconds)
