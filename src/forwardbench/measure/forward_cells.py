"""The pytest-benchmark file of a worker; `forwardbench.measure.worker` supplies the cells."""

from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench.measure.cells import Cell, benchmark_cell


def test_forward(
    benchmark: BenchmarkFixture, cell: Cell, seconds: float, cell_seconds: float
) -> None:
    """Time one cell and check its result."""
    benchmark_cell(benchmark, cell, seconds, cell_seconds)
