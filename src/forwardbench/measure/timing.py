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
from forwardbench.verification.case_families import copy_layers, sparse
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
"""A cell is timed at so many moments of a pass.

Bursts of other work on the machine often last longer than a visit. With several visits, a burst
spoils only few of a cell's rounds and hardly moves their median (docs/method.md has figures).
"""
VISIT_SECONDS = 6e-3
"""The rounds of one visit take about this time."""
MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
SLOW_SECONDS = 0.1
"""If five calls would take longer than this, there are fewer visits, but at least one."""
SMALL_BYTES = 2**18
"""The time of larger cases depends on where their arrays lie in memory. So they are prepared
anew for each visit, and the median covers several places."""
KEPT_BYTES = 2**22
"""Inputs of cases up to this size are made once in a process and then copied."""
SLOW_PREPARATION_SECONDS = 0.02
"""A large case that takes longer to prepare, as with a compiler, is still prepared only once."""

BENCHMARK_OPTIONS = {"disable_gc": True}
"""Arguments of ``pytest.mark.benchmark`` wherever cells are measured."""

_MOST_ITERATIONS = 10**6
"""Even the fastest call needs fewer iterations to fill a round."""

# Generous limits in seconds for reading a finished result: a fixed time, and more for each number
# of an array (copied from a device) or of lists. In large cases, unfinished work takes longer.
_READ_FIXED, _READ_ARRAY, _READ_NUMBERS = 0.02, 1e-8, 5e-7


def visits_of(seconds: float) -> int:
    """How often a cell is visited in a pass if a call takes ``seconds``."""
    return max(1, min(VISITS, int(SLOW_SECONDS / seconds)))


@dataclass
class _Prepared:
    """A cell that is ready to be called."""

    implementation: Implementation
    data: tuple[Array, ...]
    arguments: tuple[Any, ...]
    """The arguments of the workload's function; the last one is the layers."""
    first_seconds: float
    """The time of preparing it, to which its first call is added."""

    def call(self) -> Any:
        return self.implementation.compute(*self.arguments)


class _Rounds(NamedTuple):
    """How many rounds, and calls in each, a visit to a cell has."""

    iterations: int
    """Calls in a round."""
    rounds: int


def benchmark_cell(
    benchmark: BenchmarkFixture, cell: Cell, seconds: float, visits: int = 1, last: bool = True
) -> None:
    """Time one cell with pytest-benchmark; after the last visit, check its results as well.

    ``seconds`` is the expected time of a call, ``visits`` how many visits are made at once.
    Raises `WrongResultError` if a result is wrong; the time is then marked as rejected.
    """
    benchmark.group = f"{cell.sweep} {cell.case} {cell.case.dtype}, threads: {cell.threads}"
    workload = workloads.get(cell.workload)
    benchmark.extra_info.update(cell=cell.to_json(), workload_version=workload.version)
    prepared = _kept.pop(cell, None) or _prepare(cell)
    start = time.perf_counter()
    if cell not in _rounds:
        _rounds[cell] = _choose_rounds(prepared, seconds)
    elif visits_of(seconds) == VISITS:
        prepared.call()  # brings the cell's arrays into the caches
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
    slow_to_prepare = prepared.first_seconds > seconds + SLOW_PREPARATION_SECONDS
    if not last and (slow_to_prepare or workload.bytes(cell.case) <= SMALL_BYTES):
        _kept[cell] = prepared
    if last:
        # A call too slow for all visits is not repeated only for a check.
        _check_results(benchmark, prepared, cell.case, out, visits_of(seconds) == VISITS)
        # Only now, so that a user's ``thread_count`` cannot change the results.
        thread_count = prepared.implementation.thread_count
        benchmark.extra_info["ran_on"] = thread_control.ran_on(cell.reference, thread_count)


def _inputs(workload: Workload, case: Case) -> Inputs:
    """Make a case's inputs; those of small cases are cached, since several cells need them."""
    small = workload.bytes(case) <= KEPT_BYTES
    return _small_inputs(workload, case) if small else workload.inputs(case)


@cache
def _small_inputs(workload: Workload, case: Case) -> Inputs:
    return workload.inputs(case)


def _repeat(compute: Callable[..., Any], arguments: tuple[Any, ...], count: int) -> Any:
    """Call ``count`` times and return the last result; earlier ones are dropped at once.

    The usual numbers of arguments are written out. Unpacking the arguments in each call would
    add 5 % to a call of a microsecond.
    """
    match arguments:
        case (x, layers):
            for _ in repeat(None, count - 1):
                compute(x, layers)
        case (x, second, layers):
            for _ in repeat(None, count - 1):
                compute(x, second, layers)
        case _:
            for _ in repeat(None, count - 1):
                compute(*arguments)
    return compute(*arguments)


_kept: dict[Cell, _Prepared] = {}
"""Prepared cells that are kept for their next visit."""
_rounds: dict[Cell, _Rounds] = {}
"""The rounds chosen at the first visit; all later visits use the same."""


def _prepare(cell: Cell) -> _Prepared:
    """Make a cell's inputs and prepare them."""
    implementation = _loaded(cell.reference, cell.workload)
    shared_data, shared_layers = _inputs(implementation.workload, cell.case)
    # No two cells share an array.
    data, layers = tuple(array.copy() for array in shared_data), copy_layers(shared_layers)
    start = time.perf_counter()
    # Layers first, so that preparing them cannot use the input.
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    return _Prepared(implementation, data, (*prepared, ready), time.perf_counter() - start)


def _choose_rounds(prepared: _Prepared, seconds: float) -> _Rounds:
    """Warm the cell up, and choose its rounds from the time that its calls take.

    A round is as many calls as take `MIN_ROUND_SECONDS`. A visit is as many rounds as take
    `VISIT_SECONDS`. A call that takes longer than a visit is one round.
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
        round_seconds = time.perf_counter() - start
        if round_seconds >= MIN_ROUND_SECONDS:
            break
        # Aim a little higher than needed, but grow tenfold at most: short times are imprecise.
        growth = min(10.0, 1.1 * MIN_ROUND_SECONDS / max(round_seconds, 1e-9))
        iterations = math.ceil(iterations * growth)
        if iterations > _MOST_ITERATIONS:
            raise WrongResultError(f"{iterations} calls took no time: who changed the timer?")
    return _Rounds(iterations, max(1, round(VISIT_SECONDS / round_seconds)))


def _check_results(
    benchmark: BenchmarkFixture, prepared: _Prepared, case: Case, out: Any, again: bool
) -> None:
    """Check the result of the last call and, if ``again``, that of a call with another input.

    After many calls with one input, another input must still get its own result.
    """
    implementation, (*_, ready) = prepared.implementation, prepared.arguments
    try:
        accuracy = check_output(implementation, case, out, other_input=False)
        if again:
            others = implementation.prepare_data(other_data(prepared.data))
            out = implementation.compute(*others, ready)
            check_output(implementation, case, out, other_input=True)
    except WrongResultError as error:
        benchmark.extra_info["rejected"] = str(error)
        raise
    benchmark.extra_info["error"] = accuracy.error


def other_data(data: tuple[Array, ...]) -> tuple[Array, ...]:
    """Make other arrays of the same shapes and dtypes.

    Most of their numbers are zero, so that the bound on the first layer's error is narrow.
    """
    return tuple(sparse((0.5 - array[::-1]).astype(array.dtype).T).T.copy() for array in data)


@cache
def _loaded(reference: str, workload: str) -> Implementation:
    return load(reference, workload)


def check_output(
    implementation: Implementation, case: Case, out: Any, *, other_input: bool = False
) -> Accuracy:
    """Check the numbers of a result in some places, its shape and dtype, and that it is finished.

    ``other_input`` means that it was computed from `other_data`, not from the case's own data.
    """
    workload = implementation.workload
    start = time.perf_counter()
    arrays = output_arrays(implementation, out, case.dtype)
    seconds = time.perf_counter() - start
    accuracy = check_result(arrays, case, _answers(workload, case, other_input))
    are_arrays = all(hasattr(part, "dtype") for part in workload.arrays_of(out))
    number_seconds = _READ_ARRAY if are_arrays else _READ_NUMBERS
    if seconds > _READ_FIXED + number_seconds * sum(array.size for array in arrays):
        raise WrongResultError(
            f"{case}: turning the result into NumPy took {seconds * 1e3:.3g} ms: "
            f"{workload.function} returned unfinished work"
        )
    return accuracy


@lru_cache(maxsize=64)
def _answers(workload: Workload, case: Case, other_input: bool) -> list[Answer]:
    """The correct result of a case in a few places."""
    data, layers = _inputs(workload, case)
    return workload.answers(*(other_data(data) if other_input else data), layers, few=True)
