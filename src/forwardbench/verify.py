"""Verification: nothing is timed that is not right.

Every implementation is checked on every case family, for its results and for how it
behaves: it leaves its inputs alone, answers afresh each time, and returns finished work.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forwardbench import implementations, isolation
from forwardbench.cases import ACTIVATIONS, DTYPES, SWEEPS, Case, Layer, make_inputs, parse_case
from forwardbench.implementations import Implementation, ImplementationError, MissingExtraError
from forwardbench.reference import WrongResultError, check_result, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

TIME_LIMIT = 60.0
"""Seconds without a finished check after which a contender counts as hanging."""


# --- the problems ----------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """A case with the numbers to compute it on."""

    case: Case
    x: Array
    layers: list[Layer]


def problems() -> Iterator[Problem]:
    """Yield every case family, in both dtypes."""
    shapes = ["1x1-1", "1x5-3", "5x1-3", "5x3-1", "1x4-1", "1x1-3-1"]  # each dimension 1
    shapes += ["5x7-3", "6x6-6", "3x4-4-4", "4x6-5-3-2", "17x65-9", "3x520-5"]
    for dtype in DTYPES:
        for case in SWEEPS["course"].cases:
            yield _seeded(replace(case, dtype=dtype))
        for shape in shapes:
            for activation in ACTIVATIONS if shape in ("5x7-3", "4x6-5-3-2") else ("sigmoid",):
                yield _seeded(parse_case(shape, activation, dtype))
        for activation in ACTIVATIONS:
            yield _saturating(parse_case("4x3-5", activation, dtype))
            yield _zeros(parse_case("3x4-2", activation, dtype))
        for shape in ("40x64-8", "6x1030-12", "5x24-1030"):
            yield _sparse(parse_case(shape, "linear", dtype))


def _seeded(case: Case) -> Problem:
    return Problem(case, *make_inputs(case))


def _saturating(case: Case) -> Problem:
    """Pre-activations from -1000 to 1000, where a careless exponential overflows."""
    x, layers = make_inputs(case)
    scale = np.linspace(-1000, 1000, case.batch * case.widths[0]).reshape(x.shape)
    ones = np.ones_like(layers[0].weights)
    return Problem(case, scale.astype(case.dtype), [layers[0]._replace(weights=ones)])


def _zeros(case: Case) -> Problem:
    x, layers = make_inputs(case)
    return Problem(case, np.zeros_like(x), layers)


def _sparse(case: Case) -> Problem:
    """Four non-zero inputs an example: large shapes with a bound of only a few roundoffs."""
    x, layers = make_inputs(case)
    kept = (np.arange(x.shape[1]) * 7 + np.arange(x.shape[0])[:, None]) % (x.shape[1] // 4) == 0
    return Problem(case, np.where(kept, x, 0).astype(case.dtype), layers)


# --- how an implementation behaves -----------------------------------------------------


def _check_problem(implementation: Implementation, problem: Problem) -> float:
    """Check results and unchanged inputs on one problem; return the largest error."""
    case, x, layers = problem.case, problem.x.copy(), _copied(problem.layers)
    expected, bound = reference(problem.x, problem.layers)
    prepared_x = implementation.prepare_input(x)
    prepared_layers = implementation.prepare_layers(layers)
    error = 0.0
    for call in ("", "on the second call with the same input: "):
        out = implementation.forward(prepared_x, prepared_layers)
        array = implementations.output_array(implementation, out, case.dtype)
        error = max(error, _checked(call, array, case, expected, bound))
    if not np.array_equal(x, problem.x):
        raise WrongResultError(f"{case}: forward changed its input x")
    for number, (after, before) in enumerate(zip(layers, problem.layers, strict=True)):
        for part in ("weights", "bias"):
            if not np.array_equal(getattr(after, part), getattr(before, part)):
                raise WrongResultError(f"{case}: forward changed the {part} of layer {number}")
    return error


def _checked(
    when: str,
    array: Any,
    case: Case,
    expected: NDArray[np.float64],
    bound: NDArray[np.float64],
) -> float:
    """`check_result`, with the circumstances in front of its message."""
    try:
        return check_result(array, case, expected, bound)
    except WrongResultError as error:
        raise WrongResultError(f"{when}{error}") from None


def _copied(layers: Sequence[Layer]) -> list[Layer]:
    return [
        layer._replace(weights=layer.weights.copy(), bias=layer.bias.copy()) for layer in layers
    ]


class _Bench:
    """An implementation set up on one small network, to be called with several inputs."""

    def __init__(self, implementation: Implementation, case: Case) -> None:
        self.implementation = implementation
        self.case = case
        x, self.layers = make_inputs(case)
        self.inputs = [x, (0.5 - x[::-1]).astype(case.dtype)]
        self.prepared_layers = implementation.prepare_layers(_copied(self.layers))

    def array(self, out: Any) -> Any:
        return implementations.output_array(self.implementation, out, self.case.dtype)

    def check(self, when: str, out: Any, which: int) -> None:
        """Compare an output with the reference for the input of that number."""
        _checked(when, self.array(out), self.case, *reference(self.inputs[which], self.layers))

    def refill(self, prepared: Any, x: Array) -> None:
        """Put other numbers into a prepared input, where its form allows that."""
        if isinstance(prepared, np.ndarray | list):
            prepared[:] = self.implementation.prepare_input(x.copy())


def _check_fresh(implementation: Implementation, dtype: str) -> None:
    """Other numbers in the same array must give the other answers."""
    bench = _Bench(implementation, parse_case("4x6-5-3", "tanh", dtype))
    x = bench.inputs[0].copy()
    prepared = implementation.prepare_input(x)
    bench.check("", implementation.forward(prepared, bench.prepared_layers), 0)
    x[...] = bench.inputs[1]
    again = implementation.prepare_input(x)
    out = implementation.forward(again, bench.prepared_layers)
    bench.check("with the same array refilled in place: ", out, 1)
    bench.refill(again, bench.inputs[0])
    if isinstance(again, np.ndarray | list):
        out = implementation.forward(again, bench.prepared_layers)
        bench.check("with the prepared input refilled in place: ", out, 0)


def _check_layers_matter(implementation: Implementation, dtype: str) -> None:
    """The same input through other weights must give the other answers."""
    case = parse_case("4x5-5", "tanh", dtype)
    x, layers = make_inputs(case)
    turned = [layer._replace(weights=layer.weights[::-1].copy()) for layer in layers]
    networks = [(some, implementation.prepare_layers(_copied(some))) for some in (layers, turned)]
    prepared = implementation.prepare_input(x.copy())
    for plain, ready in (*networks, networks[0]):
        array = implementations.output_array(
            implementation, implementation.forward(prepared, ready), dtype
        )
        _checked("with the same input and other weights: ", array, case, *reference(x, plain))


def _check_reuse(implementation: Implementation, dtype: str) -> None:
    """An output handed out stays as it was, unless the file says that it may not."""
    if implementation.reuses_output:
        return
    bench = _Bench(implementation, parse_case("4x6-5", "tanh", dtype))
    first, second = (implementation.prepare_input(x.copy()) for x in bench.inputs)
    out = implementation.forward(first, bench.prepared_layers)
    before = np.array(bench.array(out))
    implementation.forward(second, bench.prepared_layers)
    if not np.array_equal(bench.array(out), before):
        raise WrongResultError(
            "a later call changed an output handed out earlier: return a new one, "
            "or say so with REUSES_OUTPUT = True"
        )


def _check_finished(implementation: Implementation, timer: Callable[[], float]) -> None:
    """Turning a result into NumPy must cost no hidden computation."""
    bench = _Bench(implementation, parse_case("4x6-5", "tanh", "float64"))
    x = bench.inputs[0].copy()
    prepared = implementation.prepare_input(x)
    out = implementation.forward(prepared, bench.prepared_layers)
    x[...] = bench.inputs[1]
    bench.refill(prepared, bench.inputs[1])
    bench.check("with the input refilled after forward returned (unfinished work?): ", out, 0)

    # Two networks with outputs of one shape, of which the second is 1,000 times the work.
    little, much = (parse_case(shape, "linear") for shape in ("4x8-8", "4x8192-8"))
    _, convert_little = _best_times(implementation, little, timer)
    compute_much, convert_much = _best_times(implementation, much, timer)
    grows = convert_much > 4 * convert_little + 5e-6 and convert_much > compute_much / 4
    if grows or convert_much > 2 * compute_much:
        raise WrongResultError(
            f"{much}: forward returned unfinished work: it took {compute_much * 1e6:.3g} us, "
            f"turning its result into NumPy {convert_much * 1e6:.3g} us "
            f"({convert_little * 1e6:.3g} us after a thousandth of the work)"
        )


def _best_times(
    implementation: Implementation, case: Case, timer: Callable[[], float]
) -> tuple[float, float]:
    """Shortest seconds of five for ``forward``, and for turning its result into NumPy."""
    x, layers = make_inputs(case)
    prepared, ready = implementation.prepare_input(x), implementation.prepare_layers(layers)
    times = []
    for _ in range(5):
        start = timer()
        out = implementation.forward(prepared, ready)
        middle = timer()
        implementations.output_array(implementation, out, case.dtype)
        times.append((middle - start, timer() - middle))
    computing, converting = zip(*times, strict=True)
    return min(computing), min(converting)


# --- the verdict -----------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What verification found out about one implementation."""

    implementation: str
    status: str
    """`verified`, `rejected`, `failed` or `unavailable`."""
    reason: str = ""
    checks: int = 0
    error: float = 0.0
    """Largest absolute error over all problems."""


def verify(reference: str, time_limit: float = TIME_LIMIT) -> Verdict:
    """Check an implementation, given by name or path, in a process of its own.

    ``time_limit`` is the longest time in seconds that a single check may take.
    """
    description = implementations.describe(reference)
    if description.missing:
        return Verdict(description.name, "unavailable", description.missing)
    task = {"reference": str(description.path.resolve())}
    try:
        answer = isolation.call("forwardbench.verify", task, stall_seconds=time_limit)
    except isolation.ChildError as error:
        return Verdict(description.name, "failed", str(error))
    return Verdict(**answer)


def verify_loaded(
    implementation: Implementation,
    *,
    on_check: Callable[[str], None] = lambda line: None,
    timer: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """Check an implementation in this process; `verify` does it in a safer one."""
    name, checks, largest = implementation.name, 0, 0.0
    try:
        for problem in problems():
            largest = max(largest, _check_problem(implementation, problem))
            checks += 1
            on_check(str(problem.case))
        for dtype in DTYPES:
            for check in (_check_fresh, _check_layers_matter, _check_reuse):
                check(implementation, dtype)
                checks += 1
                on_check(check.__name__)
        _check_finished(implementation, timer)
    except WrongResultError as error:
        return Verdict(name, "rejected", str(error), checks, largest)
    except Exception as error:  # a contender may raise anything
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Verdict(name, "failed", f"raised {what}", checks, largest)
    return Verdict(name, "verified", "", checks + 1, largest)


def main(link: isolation.Link) -> None:
    """Answer a child process's task: load an implementation and check it."""
    warnings.simplefilter("ignore")  # a contender's own; only its results are judged
    reference = link.task["reference"]
    name = implementations.describe(reference).name
    try:
        implementation = implementations.load(reference)
    except MissingExtraError as error:
        verdict = Verdict(name, "unavailable", str(error))
    except ImplementationError as error:
        verdict = Verdict(name, "failed", str(error))
    else:
        verdict = verify_loaded(implementation, on_check=link.progress)
    link.answer(asdict(verdict))
