"""The entries of cells in pytest-benchmark's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forwardbench import workloads
from forwardbench.measure.timing import Judge, Visit, visits_of

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from forwardbench.records import Cell

BENCHMARK_OPTIONS = {"disable_gc": True}
"""Arguments of ``pytest.mark.benchmark`` wherever cells are measured."""


def benchmark_cell(benchmark: BenchmarkFixture, cell: Cell, seconds: float, judge: Judge) -> None:
    """Time one cell in all visits at once, and record it with pytest-benchmark.

    ``seconds`` is the expected time of a call. Raises `WrongResultError` if a result is wrong.
    """
    count = visits_of(seconds)
    made: list[Visit] = []
    while len(made) < count or made[-1].again:
        made.append(judge.visit(cell, seconds, last=len(made) >= count - 1))
    record_visits(benchmark, cell, made, judge)


def record_visits(
    benchmark: BenchmarkFixture, cell: Cell, visits: list[Visit], judge: Judge
) -> None:
    """Make one entry of a cell's visits in pytest-benchmark's file.

    Rounds that were disturbed are left out, if there are others.
    """
    benchmark.group = f"{cell.sweep} {cell.case} {cell.case.dtype}, threads: {cell.threads}"
    made = [one for visit in visits for one in visit.rounds]
    counted = judge.calm.least_disturbed(made)
    iterations = visits[0].iterations
    times = [one.seconds / iterations for one in counted]
    benchmark.pedantic(_nothing, rounds=len(times))  # type: ignore[no-untyped-call]
    if benchmark.stats is not None:  # None under --benchmark-disable
        # The rounds were made in the contender's process, by a clock that this one has checked.
        benchmark.stats.stats.data[:] = times
        benchmark.stats.iterations = iterations
    benchmark.extra_info.update(
        cell=cell.to_json(),
        workload_version=workloads.get(cell.workload).version,
        input_seed=judge.seed,
        warming_seconds=sum(visit.warming_seconds for visit in visits),
        timed_seconds=sum(one.seconds for one in counted),
        timed_cpu_seconds=sum(one.cpu_seconds for one in counted),
        disturbed_rounds=len(made) - len(counted),
        disturbed_seconds=sum(one.seconds for one in made) - sum(one.seconds for one in counted),
    )
    accuracy = visits[-1].accuracy
    if accuracy is not None:
        benchmark.extra_info["error"] = accuracy.error
        benchmark.extra_info["ran_on"] = judge.ran_on(cell)


def _nothing() -> None:
    """Stand for the calls, which another process makes."""
