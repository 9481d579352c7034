"""Cells: one implementation on one case, dtype and thread count, and how one is timed."""

from __future__ import annotations

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
from forwardbench.implementations import load, output_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

    from forwardbench.implementations import Implementation

MIN_ROUND_SECONDS = 1e-3
"""A round repeats the call until it lasts this long, far above the timer's resolution."""
CELL_SECONDS = 0.02
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

_CHECKED_PRODUCTS = 2**20
"""Exact products a timed result is checked with; more rows are not worth the wait."""


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
        return cls(texts[0], texts[1], texts[2], case, values["threads"], values["control"])


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
    """Time one cell with pytest-benchmark, and check the very result that was timed.

    ``seconds`` is what a call is expected to take. Raises `WrongResultError` when the
    result is not right; the time is then marked as rejected.
    """
    from forwardbench.reference import WrongResultError

    case = cell.case
    implementation = _loaded(cell.reference)
    x, layers = make_inputs(case)
    prepared, ready = implementation.prepare_input(x), implementation.prepare_layers(layers)
    benchmark.group = f"{cell.sweep} {case} {case.dtype}, threads: {cell.threads}"
    benchmark.extra_info.update(cell=cell.to_json(), workload_version=WORKLOAD_VERSION)
    # A first call compiles, allocates and fills caches; it would spoil the calibration.
    implementation.forward(prepared, ready)
    if seconds > CELL_SECONDS:
        out = benchmark.pedantic(implementation.forward, args=(prepared, ready))  # type: ignore[no-untyped-call]
    else:
        out = benchmark(implementation.forward, prepared, ready)
    try:
        benchmark.extra_info["error"] = _check_timed_result(implementation, case, out)
    except WrongResultError as error:
        benchmark.extra_info["rejected"] = str(error)
        raise


@cache
def _loaded(reference: str) -> Implementation:
    return load(reference)


def _check_timed_result(implementation: Implementation, case: Case, out: Any) -> float:
    """Check a result on a few rows, and its shape, dtype and finiteness everywhere."""
    from forwardbench.reference import check_result

    rows, expected, bound = _sampled_reference(case)
    return check_result(output_array(implementation, out, case.dtype), case, expected, bound, rows)


@lru_cache(maxsize=64)
def _sampled_reference(
    case: Case,
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    """Reference and bound for a few rows of a case, spread from the first to the last."""
    import numpy as np

    from forwardbench.reference import reference

    x, layers = make_inputs(case)
    affordable = max(1, _CHECKED_PRODUCTS * case.batch // case.multiply_adds)
    count = min(case.batch, affordable, 8)
    # The last row is the likeliest to be left out, so it is always among them.
    rows = sorted({int(row) for row in np.linspace(case.batch - 1, 0, count)})
    return rows, *reference(x[rows], layers)
