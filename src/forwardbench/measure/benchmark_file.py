"""The test file that a worker runs; `forwardbench.measure.worker` supplies the cells."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench.measure.timing import BENCHMARK_OPTIONS, Judge, benchmark_cell
from forwardbench.records import Cell


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
def test_visit(
    benchmark: BenchmarkFixture, judge: Judge, cell: Cell, seconds: float, last: bool
) -> None:
    """Visit one cell; after the last visit, check its result."""
    benchmark_cell(benchmark, cell, seconds, judge, last=last)
