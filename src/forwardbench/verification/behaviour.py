"""How an implementation has to behave, beyond giving right numbers once.

It leaves its inputs alone, answers afresh every time, keeps networks apart, hands out
results that stay, and returns finished work.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from forwardbench.cases import Case, Layer, make_inputs, parse_case
from forwardbench.implementations import Implementation, output_array
from forwardbench.verification.case_families import Problem, copied
from forwardbench.verification.reference import Sample, WrongResultError, check_result, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

Timer = Callable[[], float]

_ONE_CALL = 50_000
"""Multiply-adds above which a problem is computed once: loops take their time."""


def check_problem(implementation: Implementation, problem: Problem) -> float:
    """Check results and unchanged inputs on one problem.

    Returns the largest error as a share of its bound.
    """
    case, x, layers = problem.case, problem.x.copy(), copied(problem.layers)
    known = problem.known
    ready = implementation.prepare_layers(list(layers))
    prepared = implementation.prepare_input(x)
    share = 0.0
    for call in ("", "on the second call with the same input: "):
        out = implementation.forward(prepared, ready)
        array = output_array(implementation, out, case.dtype)
        share = max(share, _checked(call, array, case, known))
        if case.multiply_adds > _ONE_CALL:
            break
    if not np.array_equal(x, problem.x):
        raise WrongResultError(f"{case}: forward changed its input x")
    for number, (after, before) in enumerate(zip(layers, problem.layers, strict=True)):
        for part in ("weights", "bias"):
            if not np.array_equal(getattr(after, part), getattr(before, part)):
                raise WrongResultError(f"{case}: forward changed the {part} of layer {number}")
    return share


def _checked(when: str, array: Any, case: Case, known: Sample) -> float:
    """`check_result`, with the circumstances in front of its message; returns the share."""
    try:
        return check_result(array, case, known).share
    except WrongResultError as error:
        raise WrongResultError(f"{when}{error}") from None


class _Network:
    """An implementation set up on one small network, to be called with several inputs."""

    def __init__(self, implementation: Implementation, case: Case, layers: Sequence[Layer]) -> None:
        self.implementation = implementation
        self.case = case
        self.layers = layers
        self.ready = implementation.prepare_layers(copied(layers))

    @classmethod
    def of(cls, implementation: Implementation, shape: str, dtype: str) -> _Network:
        """Set up the seeded network of a case."""
        case = parse_case(shape, "tanh", dtype)
        return cls(implementation, case, make_inputs(case)[1])

    def inputs(self, count: int) -> list[Array]:
        """Make inputs that differ in every number."""
        x, _ = make_inputs(self.case)
        return [(x * (-0.9) ** k).astype(self.case.dtype) for k in range(count)]

    def call(self, prepared: Any) -> Any:
        """Call forward on a prepared input."""
        return self.implementation.forward(prepared, self.ready)

    def array(self, out: Any) -> Any:
        """Turn an output into NumPy."""
        return output_array(self.implementation, out, self.case.dtype)

    def check(self, when: str, out: Any, x: Array) -> None:
        """Compare an output with the reference for an input, of any batch size."""
        case = parse_case(str(self.case), self.case.activation, self.case.dtype)
        case = Case(len(x), case.widths, case.activation, case.dtype)
        _checked(when, self.array(out), case, whole(x, self.layers))

    def refill(self, prepared: Any, x: Array) -> bool:
        """Put other numbers into a prepared input; say whether its form allowed that."""
        other = self.implementation.prepare_input(x.copy())
        if isinstance(prepared, list) and isinstance(other, list):
            prepared[:] = other
        elif isinstance(prepared, np.ndarray) and prepared.ndim and prepared.flags.writeable:
            prepared[...] = other
        else:
            return False
        return True


def _overwrite(x: Array, values: Array) -> None:
    """Put other numbers into an array of ours, even if a contender has frozen it."""
    x.flags.writeable = True
    x[...] = values


def check_thread_count(implementation: Implementation) -> None:
    """A file that says how many threads its framework uses says a number of them."""
    if implementation.thread_count is None:
        return
    found = implementation.thread_count()
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise WrongResultError(
            f"thread_count() returned {found!r}: it has to be a whole number, 0 for unknown"
        )


def check_fresh(implementation: Implementation, dtype: str) -> None:
    """Other numbers in the same array must give the other answers, even one other number."""
    network = _Network.of(implementation, "4x6-5-3", dtype)
    first, second = network.inputs(2)
    x = first.copy()
    network.check("", network.call(implementation.prepare_input(x)), first)
    _overwrite(x, second)
    prepared = implementation.prepare_input(x)
    network.check("with the same array refilled in place: ", network.call(prepared), second)
    if network.refill(prepared, first):
        network.check("with the prepared input refilled in place: ", network.call(prepared), first)
    for place in ((0, 0), (1, 3), (3, 5)):
        other = first.copy()
        other[place] -= 1
        out = network.call(implementation.prepare_input(other))
        network.check("with one input number changed: ", out, other)


def check_networks_apart(implementation: Implementation, dtype: str) -> None:
    """The same input through other networks of the same shape must give the other answers."""
    case = parse_case("4x6-6-6", "tanh", dtype)
    x, layers = make_inputs(case)
    one, two = layers
    networks = [
        layers,
        [one._replace(bias=one.bias + 1), two],
        [one, two._replace(bias=two.bias + 1)],
        [one._replace(weights=one.weights.T.copy()), two],
        [one, two._replace(weights=two.weights[::-1].copy())],
        [one._replace(activation="relu"), two],
        [one, two._replace(activation="linear")],
    ]
    when = "with the same input and another network: "
    together = [_Network(implementation, case, network) for network in networks]
    prepared = implementation.prepare_input(x.copy())
    for network in (*together, together[0]):
        network.check(when, network.call(prepared), x)
    del together, network
    for layers in networks:  # one after another, each gone before the next is made
        alone = _Network(implementation, case, layers)
        alone.check(when, alone.call(implementation.prepare_input(x.copy())), x)
        del alone


def check_batches(implementation: Implementation, dtype: str) -> None:
    """One network must take batches of any size, one after another."""
    network = _Network.of(implementation, "7x6-5-3", dtype)
    (x,) = network.inputs(1)
    for size in (4, 1, 7, 4):
        out = network.call(implementation.prepare_input(x[:size].copy()))
        network.check(f"in a batch of {size} after other sizes: ", out, x[:size])


def check_outputs_stay(implementation: Implementation, dtype: str) -> None:
    """An output handed out stays as it was, unless the file says that it may not."""
    if implementation.reuses_output:
        return
    handed_out = []
    for shape in ("4x6-5", "4x6-5-3", "32x8-16"):
        seeded = _Network.of(implementation, shape, dtype)
        first, second, third = seeded.inputs(3)
        inputs = [implementation.prepare_input(x.copy()) for x in (first, second)]
        for activation in ("tanh", "relu", "linear"):
            layers = [layer._replace(activation=activation) for layer in seeded.layers]
            network = _Network(implementation, seeded.case, layers)
            for prepared in (*inputs, inputs[0]):
                out = network.call(prepared)
                handed_out.append((network, out, np.array(network.array(out))))
        if seeded.refill(inputs[0], third):
            seeded.call(inputs[0])
            network.call(inputs[0])
    for network, out, before in handed_out:
        if not np.array_equal(network.array(out), before):
            raise WrongResultError(
                "a later call changed an output handed out earlier: return a new one, "
                "or say so with REUSES_OUTPUT = True"
            )


# --- finished work ---------------------------------------------------------------------

# Two cases with outputs of one shape, the second with much more work behind it; and between
# them the ways to be lazy: always, in large batches, with many units, in several layers.
_LITTLE_AND_MUCH = [
    ("4x8-8", "4x8192-8"),
    ("64x8-8", "64x512-8"),
    ("4x8-512", "4x128-512"),
    ("4x8-8", "4x64-512-8"),
    ("4x8-8-8", "4x8-4096-8"),
]


def check_finished(implementation: Implementation, timer: Timer = time.perf_counter) -> None:
    """Turning a result into NumPy must cost no hidden computation."""
    network = _Network.of(implementation, "4x6-5", "float64")
    first, second = network.inputs(2)
    x = first.copy()
    prepared = implementation.prepare_input(x)
    out = network.call(prepared)
    _overwrite(x, second)
    network.refill(prepared, second)
    network.check("with the input refilled after forward returned (unfinished work?): ", out, first)

    for little, much in _LITTLE_AND_MUCH:
        cases = (parse_case(little, "linear"), parse_case(much, "linear"))
        _compare_conversions(implementation, *cases, timer)
    linear, activated = (parse_case("256x4-256", name) for name in ("linear", "tanh"))
    _compare_conversions(implementation, linear, activated, timer)


_Check = TypeVar("_Check", bound=Callable[..., None])


_ATTEMPTS = 4


def _despite_noise(check: _Check) -> _Check:
    """Make a check that only compares times again when it fails: it has to fail every time.

    On a busy machine two times of a right implementation look unlike now and then; those of a
    wrong one always do. What disturbed an attempt gets time to pass before the next.
    """

    @functools.wraps(check)
    def repeated(*args: Any, **kwargs: Any) -> None:
        for attempt in range(1, _ATTEMPTS):
            try:
                check(*args, **kwargs)
            except WrongResultError:
                time.sleep(0.05 * attempt)
            else:
                return
        check(*args, **kwargs)

    return cast("_Check", repeated)


@_despite_noise
def _compare_conversions(
    implementation: Implementation, little: Case, much: Case, timer: Timer
) -> None:
    """Reading equal results must not take longer because more was computed for one."""
    _, convert_little = _best_times(implementation, little, timer)
    compute, convert = _best_times(implementation, much, timer)
    # After much work caches are cold, so reading may be slower, but not as slow as the work.
    if convert > 2 * convert_little + 5e-6 and convert > compute / 10:
        raise WrongResultError(
            f"{much}: forward returned unfinished work: it took {compute * 1e6:.3g} us, turning "
            f"its result into NumPy {convert * 1e6:.3g} us (after little work "
            f"{convert_little * 1e6:.3g} us)"
        )


def _best_times(implementation: Implementation, case: Case, timer: Timer) -> tuple[float, float]:
    """Shortest seconds of a few calls of ``forward``, and of turning results into NumPy."""
    x, layers = make_inputs(case)
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_input(x)
    computing, converting = [], []
    for _ in range(5):
        start = timer()
        out = implementation.forward(prepared, ready)
        middle = timer()
        output_array(implementation, out, case.dtype)
        computing.append(middle - start)
        converting.append(timer() - middle)
        if sum(computing) > _LONG_ENOUGH:
            break
    return min(computing), min(converting)


_LONG_ENOUGH = 0.05
"""Seconds of computing after which no more calls are made to find the shortest."""
_WAIT = 0.02
"""Seconds after which work that goes on behind forward's back is done, on a busy machine too."""


@_despite_noise
def check_not_asynchronous(
    implementation: Implementation,
    timer: Timer = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """A result must not be read faster because somebody has waited before reading it."""
    case = parse_case("64x4096-8", "linear")  # little to read, and much work behind it
    x, layers = make_inputs(case)
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_input(x)
    times: dict[bool, list[float]] = {True: [], False: []}
    computing: list[float] = []
    for turn in range(8):
        start = timer()
        out = implementation.forward(prepared, ready)
        computing.append(timer() - start)
        # Nobody else can be doing this work. One long call may have been kept off its CPU.
        if turn and min(computing) > _LONG_ENOUGH:
            return
        waits = turn % 2 == 1
        if waits:
            sleep(_WAIT)
            # Whatever was read before: a wait leaves caches cold.
            output_array(implementation, read, case.dtype)
        read = out
        start = timer()
        output_array(implementation, out, case.dtype)
        times[waits].append(timer() - start)
    # Now and then work that nobody waited for is done in time, where another process had the CPU
    # in between; and now and then it is still not done after the wait.
    at_once, after_waiting = median(times[False]), min(times[True])
    if at_once > 3 * after_waiting + 1e-5:
        raise WrongResultError(
            f"{case}: forward returned before its work was done: its result took "
            f"{at_once * 1e6:.3g} us to read at once and {after_waiting * 1e6:.3g} us later"
        )


@_despite_noise
def check_no_memory(implementation: Implementation, timer: Timer = time.perf_counter) -> None:
    """A second call with the same input must do the work again."""
    case = parse_case("4x32-256-256", "linear")
    x, layers = make_inputs(case)
    ready = implementation.prepare_layers(layers)
    for k in range(2):  # compilers, buffers and caches are warmed up with inputs of their own
        implementation.forward(implementation.prepare_input(x * (k + 2)), ready)
    firsts: list[float] = []
    seconds: list[float] = []
    for k in range(6):
        prepared = implementation.prepare_input(x + k)
        for times in (firsts, seconds):
            start = timer()
            implementation.forward(prepared, ready)
            times.append(timer() - start)
        if sum(firsts) > _LONG_ENOUGH:
            break
    if min(firsts) > 3 * min(seconds) + 2e-6:
        raise WrongResultError(
            f"{case}: forward remembers its answers: {min(firsts) * 1e6:.3g} us for an input it "
            f"had not seen, {min(seconds) * 1e6:.3g} us for the same again"
        )
