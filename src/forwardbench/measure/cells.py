"""Cells: one implementation on one case, dtype and thread count, and how one is timed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from forwardbench.cases import (
    ACTIVATIONS,
    DTYPES,
    WORKLOAD_VERSION,
    Case,
    Sweep,
    make_inputs,
    parse_case,
)
from forwardbench.errors import one_line
from forwardbench.implementations import load, output_array
from forwardbench.measure import threads as thread_control
from forwardbench.problems import sparse
from forwardbench.reference import Accuracy, Sample, WrongResultError, check_result, sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

    from forwardbench.implementations import Implementation

MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
CELL_SECONDS = 0.016
"""Rounds of a cell fill this time in each pass. A slower call runs once."""
MIN_ROUNDS = 3

BENCHMARK_OPTIONS = {
    "min_time": MIN_ROUND_SECONDS,
    "max_time": CELL_SECONDS,
    "min_rounds": MIN_ROUNDS,
    "disable_gc": True,
    # Estimate iterations from a twentieth of a round on; by default pytest-benchmark
    # multiplies them by ten until a round is full, which makes it up to ten rounds long.
    "calibration_precision": 100,
}
"""For ``pytest.mark.benchmark``, wherever cells are measured."""

_CHECKED_PRODUCTS = 2**18
"""Exact products a timed result is checked with; more rows are not worth the wait."""
_CHECKED_UNITS = 64
"""Units of the last layer that a timed result is checked in."""

# Seconds that reading a finished result may take, generously: in all, and for each number of
# an array (copied from a device) or of lists. Work left undone takes longer in large cases.
_READ_FIXED, _READ_ARRAY, _READ_NUMBERS = 0.02, 1e-8, 5e-7


@dataclass(frozen=True)
class Cell:
    """What is timed once in every pass."""

    implementation: str
    """The name that lists and reports show."""
    reference: str
    """The name or path that it is loaded by."""
    sweep: str
    case: Case
    threads: int = 1
    control: bool = False
    """Whether this is the second measurement of an implementation that has one already."""

    def __str__(self) -> str:
        return f"{self.label}-{self.sweep}-{self.case}-{self.case.dtype}-{self.threads}"

    @property
    def label(self) -> str:
        """The implementation's name; a control's says that it is one."""
        return self.implementation + (" (control)" if self.control else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Cell:
        """Rebuild a cell from `to_json`, after a trip through a file.

        Raises `KeyError`, `TypeError` or `ValueError` for anything that is not a cell.
        """
        case = values["case"]
        shape = parse_case(f"{case['batch']}x{'-'.join(map(str, case['widths']))}")
        texts = [values["implementation"], values["reference"], values["sweep"], case["example"]]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(f"names that are not texts: {texts}")
        if case["activation"] not in ACTIVATIONS or case["dtype"] not in DTYPES:
            raise ValueError(f"activation {case['activation']!r}, dtype {case['dtype']!r}")
        if type(values["threads"]) is not int or type(values["control"]) is not bool:
            raise TypeError(f"threads {values['threads']!r}, control {values['control']!r}")
        case = replace(
            shape, activation=case["activation"], dtype=case["dtype"], example=case["example"]
        )
        name, reference, sweep = one_line(texts[0]), texts[1], one_line(texts[2])
        return cls(name, reference, sweep, case, values["threads"], values["control"])


def cells_of(
    contenders: dict[str, str],
    sweeps: Sequence[Sweep],
    dtypes: Sequence[str],
    threads: Sequence[int],
) -> Iterator[Cell]:
    """Yield every cell of a run; ``contenders`` maps names to what they are loaded by."""
    for sweep in sweeps:
        for dtype in dtypes:
            for case in sweep.cases:
                for count in threads:
                    for name, reference in contenders.items():
                        yield Cell(name, reference, sweep.name, replace(case, dtype=dtype), count)


def benchmark_cell(benchmark: BenchmarkFixture, cell: Cell, seconds: float) -> None:
    """Time one cell with pytest-benchmark, and check results right after it was timed.

    ``seconds`` is what a call is expected to take. Raises `WrongResultError` when a result
    is not right; the time is then marked as rejected.
    """
    case = cell.case
    implementation = _loaded(cell.reference)
    x, layers = make_inputs(case)
    # Layers first: what is prepared before there is an input cannot have used it.
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_input(x)
    benchmark.group = f"{cell.sweep} {case} {case.dtype}, threads: {cell.threads}"
    benchmark.extra_info.update(
        cell=cell.to_json(), workload_version=WORKLOAD_VERSION, ran_on=_ran_on()
    )
    # A first call compiles, allocates and fills caches; it would spoil the calibration.
    output_array(implementation, implementation.forward(prepared, ready), case.dtype)
    slow = seconds > CELL_SECONDS
    if slow:
        out = benchmark.pedantic(implementation.forward, args=(prepared, ready))  # type: ignore[no-untyped-call]
    else:
        out = benchmark(implementation.forward, prepared, ready)
    try:
        accuracy = _check(implementation, case, out, other=False)
        if not slow:
            # After many calls with one input, another must still get an answer of its own.
            other = implementation.prepare_input(other_input(x))
            _check(implementation, case, implementation.forward(other, ready), other=True)
    except WrongResultError as error:
        benchmark.extra_info["rejected"] = str(error)
        raise
    benchmark.extra_info["error"] = accuracy.error


def other_input(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Make an input of the same shape and dtype with no number in its place.

    Most of it is zero, so that the bound on the first layer's error is narrow.
    """
    return sparse((0.5 - x[::-1]).astype(x.dtype).T).T.copy()


@cache
def _loaded(reference: str) -> Implementation:
    return load(reference)


@cache
def _ran_on() -> dict[str, Any]:
    """CPUs and BLAS threads that this process really has."""
    found = thread_control.read_back()
    return {"cpus": found["cpus"], "threads": [pool["num_threads"] for pool in found["pools"]]}


def _check(implementation: Implementation, case: Case, out: Any, *, other: bool) -> Accuracy:
    """Check a result in some places, its form everywhere, and that it is finished."""
    start = time.perf_counter()
    array = output_array(implementation, out, case.dtype)
    seconds = time.perf_counter() - start
    accuracy = check_result(array, case, _known(case, other))
    each = _READ_ARRAY if hasattr(out, "dtype") else _READ_NUMBERS
    if seconds > _READ_FIXED + each * array.size:
        raise WrongResultError(
            f"{case}: turning the result into NumPy took {seconds * 1e3:.3g} ms: forward "
            "returned unfinished work"
        )
    return accuracy


@lru_cache(maxsize=64)
def _known(case: Case, other: bool) -> Sample:
    """Compute the reference of a case for a few rows and units, the first and last included."""
    x, layers = make_inputs(case)
    *hidden, last = layers
    inputs, units = last.weights.shape
    row_work = sum(layer.weights.size for layer in hidden) + inputs * min(units, _CHECKED_UNITS)
    rows = _spread(case.batch, max(1, min(8, _CHECKED_PRODUCTS // row_work)))
    return sample(other_input(x) if other else x, layers, rows, _spread(units, _CHECKED_UNITS))


def _spread(length: int, count: int) -> list[int]:
    """Choose so many places out of a length, evenly; the last is always among them."""
    return sorted({length - 1 - k * length // count for k in range(min(length, count))})
