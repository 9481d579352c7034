"""How one cell is timed: warmed up once in a process, timed in visits, and checked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from forwardbench import workloads
from forwardbench.implementations import load, output_arrays
from forwardbench.measure import threads as thread_control
from forwardbench.verification.case_families import copied, sparse
from forwardbench.verification.check import Accuracy, WrongResultError, check_result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

    from forwardbench.cases import Case
    from forwardbench.implementations import Implementation
    from forwardbench.records import Cell
    from forwardbench.workloads import Answer, Inputs, Workload

    Array = NDArray[np.floating]

VISITS = 5
"""A cell is timed at that many moments of a pass.

Bursts of other work on the machine often outlast a visit. Spread over several, they spoil
few of a cell's rounds, and the median of all of them holds (docs/method.md has figures).
"""
VISIT_SECONDS = 6e-3
"""Rounds of one visit fill this time."""
MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
SLOW_SECONDS = 0.1
"""Calls so slow that five would take longer than this get fewer visits, at the least one."""
SMALL_BYTES = 2**18
"""Where arrays lie in memory decides much of the time of cases larger than this, so they are
prepared anew for each visit: the median is then over several places, as it should be."""
KEPT_BYTES = 2**22
"""Inputs of cases up to this size are made once in a process, and copied."""
DEAR_SECONDS = 0.02
"""What takes longer to prepare, as a compiler does, is prepared once all the same."""

BENCHMARK_OPTIONS = {"disable_gc": True}
"""For ``pytest.mark.benchmark``, wherever cells are measured."""

_MOST_ITERATIONS = 10**6
"""No call is so fast that more are needed to fill a round."""

# Seconds that reading a finished result may take, generously: in all, and for each number of
# an array (copied from a device) or of lists. Work left undone takes longer in large cases.
_READ_FIXED, _READ_ARRAY, _READ_NUMBERS = 0.02, 1e-8, 5e-7


def visits_of(seconds: float) -> int:
    """How often a cell is visited in a pass, if a call takes that many seconds."""
    return max(1, min(VISITS, int(SLOW_SECONDS / seconds)))


@dataclass
class _Prepared:
    """A cell that is ready to be called."""

    implementation: Implementation
    data: tuple[Array, ...]
    arguments: tuple[Any, ...]
    """What the workload's function is called with; the layers are the last of it."""
    first_seconds: float
    """How long it took to prepare and, when it was called for the first time, to do so."""

    def call(self) -> Any:
        return self.implementation.compute(*self.arguments)


class _Rounds(NamedTuple):
    """How a visit to a cell is made up."""

    iterations: int
    """Calls in a round."""
    rounds: int


def benchmark_cell(
    benchmark: BenchmarkFixture, cell: Cell, seconds: float, visits: int = 1, last: bool = True
) -> None:
    """Time one cell with pytest-benchmark; after the last visit, check its results as well.

    ``seconds`` is what a call is expected to take; ``visits`` how many are made at once.
    Raises `WrongResultError` when a result is not right; the time is then marked as rejected.
    """
    benchmark.group = f"{cell.sweep} {cell.case} {cell.case.dtype}, threads: {cell.threads}"
    workload = workloads.get(cell.workload)
    benchmark.extra_info.update(cell=cell.to_json(), workload_version=workload.version)
    prepared = _kept.pop(cell, None) or _prepare(cell)
    start = time.perf_counter()
    if cell not in _rounds:
        _rounds[cell] = _choose_rounds(prepared, seconds)
    elif visits_of(seconds) == VISITS:
        prepared.call()  # touches new arrays, and brings back what others drove from the caches
    warming_seconds = time.perf_counter() - start
    iterations, rounds = _rounds[cell]
    cpu = time.process_time()
    out = benchmark.pedantic(  # type: ignore[no-untyped-call]
        _repeat,
        args=(prepared.implementation.compute, prepared.arguments, iterations),
        rounds=rounds * visits,
    )
    if benchmark.stats is not None:  # None under --benchmark-disable
        data = benchmark.stats.stats.data
        benchmark.extra_info.update(
            warming_seconds=warming_seconds,
            timed_seconds=sum(data),
            timed_cpu_seconds=time.process_time() - cpu,
        )
        # Its own loop over iterations unpacks arguments anew for each call, which is 5 % of a
        # call of a microsecond; with a loop of ours the iterations are ours to divide by.
        data[:] = [seconds / iterations for seconds in data]
        benchmark.stats.iterations = iterations
    dear = prepared.first_seconds > seconds + DEAR_SECONDS
    if not last and (dear or workload.bytes(cell.case) <= SMALL_BYTES):
        _kept[cell] = prepared
    if last:
        # A call too slow for all visits is not made once more only to be checked.
        _check_results(benchmark, prepared, cell.case, out, visits_of(seconds) == VISITS)
        # Only now: a file's own function must have no part in the results.
        asked = prepared.implementation.thread_count
        benchmark.extra_info["ran_on"] = thread_control.ran_on(cell.reference, asked)


def _inputs(workload: Workload, case: Case) -> Inputs:
    """Make a case's inputs; those of small cases are kept, since each cell needs them."""
    small = workload.bytes(case) <= KEPT_BYTES
    return _small_inputs(workload, case) if small else workload.inputs(case)


@cache
def _small_inputs(workload: Workload, case: Case) -> Inputs:
    return workload.inputs(case)


def _repeat(compute: Callable[..., Any], arguments: tuple[Any, ...], count: int) -> Any:
    """Call that many times and return the last result; earlier ones are dropped at once.

    The usual numbers of arguments are written out: to unpack them anew for each call would be
    5 % of a call of a microsecond.
    """
    match arguments:
        case (x, layers):
            for _ in repeat(None, count - 1):
                compute(x, layers)
        case (x, other, layers):
            for _ in repeat(None, count - 1):
                compute(x, other, layers)
        case _:
            for _ in repeat(None, count - 1):
                compute(*arguments)
    return compute(*arguments)


_kept: dict[Cell, _Prepared] = {}
"""What is ready for the next visit."""
_rounds: dict[Cell, _Rounds] = {}
"""What was chosen at the first visit, so that all are alike."""


def _prepare(cell: Cell) -> _Prepared:
    """Make a cell's inputs and bring them into its form."""
    implementation = _loaded(cell.reference, cell.workload)
    made_data, made_layers = _inputs(implementation.workload, cell.case)
    # No two cells share an array.
    data, layers = tuple(array.copy() for array in made_data), copied(made_layers)
    start = time.perf_counter()
    # Layers first: what is prepared before there is an input cannot have used it.
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    return _Prepared(implementation, data, (*prepared, ready), time.perf_counter() - start)


def _choose_rounds(prepared: _Prepared, seconds: float) -> _Rounds:
    """Call until all is compiled, allocated and in the caches, and see how long that takes.

    A round is as many calls as last `MIN_ROUND_SECONDS`; a visit is as many rounds as last
    `VISIT_SECONDS`. A call that is slower than a visit is a round of its own.
    """
    start = time.perf_counter()
    prepared.call()
    prepared.first_seconds += time.perf_counter() - start
    if seconds > VISIT_SECONDS:
        return _Rounds(1, 1)
    iterations = 1
    while True:
        start = time.perf_counter()
        for _ in range(iterations):
            prepared.call()
        took = time.perf_counter() - start
        if took >= MIN_ROUND_SECONDS:
            break
        # Towards a little more than enough; by tenfold at the most, as short times say little.
        growth = min(10.0, 1.1 * MIN_ROUND_SECONDS / max(took, 1e-9))
        iterations = math.ceil(iterations * growth)
        if iterations > _MOST_ITERATIONS:
            raise WrongResultError(f"{iterations} calls took no time: who changed the timer?")
    return _Rounds(iterations, max(1, round(VISIT_SECONDS / took)))


def _check_results(
    benchmark: BenchmarkFixture, prepared: _Prepared, case: Case, out: Any, again: bool
) -> None:
    """Check the result of the last call and, if ``again``, that of a call with another input.

    After many calls with one input, another must still get an answer of its own.
    """
    implementation, (*_, ready) = prepared.implementation, prepared.arguments
    try:
        accuracy = check_output(implementation, case, out, other=False)
        if again:
            others = implementation.prepare_data(other_data(prepared.data))
            check_output(implementation, case, implementation.compute(*others, ready), other=True)
    except WrongResultError as error:
        benchmark.extra_info["rejected"] = str(error)
        raise
    benchmark.extra_info["error"] = accuracy.error


def other_data(data: tuple[Array, ...]) -> tuple[Array, ...]:
    """Make arrays of the same shapes and dtypes with no number in its place.

    Most of them is zero, so that the bound on the first layer's error is narrow.
    """
    return tuple(sparse((0.5 - array[::-1]).astype(array.dtype).T).T.copy() for array in data)


@cache
def _loaded(reference: str, workload: str) -> Implementation:
    return load(reference, workload)


def check_output(
    implementation: Implementation, case: Case, out: Any, *, other: bool = False
) -> Accuracy:
    """Check a result in some places, its form everywhere, and that it is finished.

    ``other`` says that it is of `other_data` in place of the case's own.
    """
    workload = implementation.workload
    start = time.perf_counter()
    arrays = output_arrays(implementation, out, case.dtype)
    seconds = time.perf_counter() - start
    accuracy = check_result(arrays, case, _answers(workload, case, other))
    are_arrays = all(hasattr(part, "dtype") for part in workload.arrays_of(out))
    each = _READ_ARRAY if are_arrays else _READ_NUMBERS
    if seconds > _READ_FIXED + each * sum(array.size for array in arrays):
        raise WrongResultError(
            f"{case}: turning the result into NumPy took {seconds * 1e3:.3g} ms: "
            f"{workload.function} returned unfinished work"
        )
    return accuracy


@lru_cache(maxsize=64)
def _answers(workload: Workload, case: Case, other: bool) -> list[Answer]:
    """What is right for a case in a few places of the result."""
    data, layers = _inputs(workload, case)
    return workload.answers(*(other_data(data) if other else data), layers, few=True)
