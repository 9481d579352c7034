"""How an implementation must behave, besides returning correct numbers once.

It must not change its inputs, must compute every call anew, must not mix up networks, must not
change results that it returned earlier, and must return finished work.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from forwardbench.cases import Case, Layer, parse_case
from forwardbench.implementations import Implementation, output_arrays
from forwardbench.verification.case_families import Problem, copy_layers
from forwardbench.verification.check import WrongResultError, check_result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forwardbench.workloads import Answer

    Array = NDArray[np.floating]
    Data = tuple[Array, ...]

Timer = Callable[[], float]

_ONE_CALL = 50_000
"""Problems with more multiply-adds are computed only once, since plain loops are slow."""


def check_problem(implementation: Implementation, problem: Problem) -> float:
    """Check the results on one problem, and that the inputs stay unchanged.

    Returns the largest error as a share of its bound.
    """
    workload, case = implementation.workload, problem.case
    data, layers = _copies(problem.data), copy_layers(problem.layers)
    answers = problem.answers
    ready = implementation.prepare_layers(list(layers))
    prepared = implementation.prepare_data(data)
    share = 0.0
    for call in ("", "on the second call with the same input: "):
        out = implementation.compute(*prepared, ready)
        arrays = output_arrays(implementation, out, case.dtype)
        share = max(share, _check_share(call, arrays, case, answers))
        if workload.multiply_adds(case) > _ONE_CALL:
            break
    changed = f"{case}: {workload.function} changed"
    for name, after, before in zip(workload.data, data, problem.data, strict=True):
        if not np.array_equal(after, before):
            raise WrongResultError(f"{changed} its input {name}")
    for number, (layer, given) in enumerate(zip(layers, problem.layers, strict=True)):
        for part in ("weights", "bias"):
            if not np.array_equal(getattr(layer, part), getattr(given, part)):
                raise WrongResultError(f"{changed} the {part} of layer {number}")
    return share


def _copies(data: Sequence[Array]) -> Data:
    return tuple(array.copy() for array in data)


def _check_share(when: str, arrays: Sequence[Any], case: Case, answers: Sequence[Answer]) -> float:
    """Check a result and return its share; an error message begins with ``when``."""
    try:
        return check_result(arrays, case, answers).share
    except WrongResultError as error:
        raise WrongResultError(f"{when}{error}") from None


class _Network:
    """An implementation, prepared for one small network, to be called with several inputs."""

    def __init__(self, implementation: Implementation, case: Case, layers: Sequence[Layer]) -> None:
        self.implementation = implementation
        self.case = case
        self.layers = layers
        self.ready = implementation.prepare_layers(copy_layers(layers))

    @classmethod
    def of(cls, implementation: Implementation, shape: str, dtype: str) -> _Network:
        """Prepare the seeded network of a case."""
        case = parse_case(shape, "tanh", dtype)
        return cls(implementation, case, implementation.workload.inputs(case)[1])

    def inputs(self, count: int) -> list[Data]:
        """Make several data sets; they differ in every number."""
        data, _ = self.implementation.workload.inputs(self.case)
        return [
            tuple((array * (-0.9) ** k).astype(self.case.dtype) for array in data)
            for k in range(count)
        ]

    def prepare(self, data: Data) -> tuple[Any, ...]:
        """Prepare a copy of the data, as the implementation does."""
        return self.implementation.prepare_data(_copies(data))

    def call(self, prepared: Sequence[Any]) -> Any:
        """Call the function on prepared data."""
        return self.implementation.compute(*prepared, self.ready)

    def arrays(self, out: Any) -> list[Any]:
        """Convert an output into NumPy arrays."""
        return output_arrays(self.implementation, out, self.case.dtype)

    def check(self, when: str, out: Any, data: Data) -> None:
        """Compare an output with the correct result for data of any batch size."""
        case = replace(self.case, batch=len(data[0]))
        answers = self.implementation.workload.answers(*data, self.layers)
        _check_share(when, self.arrays(out), case, answers)

    def refill(self, prepared: Sequence[Any], data: Data) -> bool:
        """Overwrite prepared data with other numbers; returns whether its type allows that."""
        pairs = list(zip(prepared, self.prepare(data), strict=True))
        if not all(_can_be_refilled(old, new) for old, new in pairs):
            return False
        for old, new in pairs:
            old[... if isinstance(old, np.ndarray) else slice(None)] = new
        return True


def _can_be_refilled(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray):
        return bool(old.ndim and old.flags.writeable)
    return isinstance(old, list) and isinstance(new, list)


def _overwrite(arrays: Data, values: Data) -> None:
    """Overwrite our own arrays, even if a contender has made them read-only."""
    for array, new in zip(arrays, values, strict=True):
        array.flags.writeable = True
        array[...] = new


def check_fresh(implementation: Implementation, dtype: str) -> None:
    """When numbers in the same array change, even a single one, the result must change too."""
    network = _Network.of(implementation, "4x6-5-3", dtype)
    first, second = network.inputs(2)
    data = _copies(first)
    network.check("", network.call(implementation.prepare_data(data)), first)
    _overwrite(data, second)
    prepared = implementation.prepare_data(data)
    network.check("with the same array refilled in place: ", network.call(prepared), second)
    if network.refill(prepared, first):
        network.check("with the prepared input refilled in place: ", network.call(prepared), first)
    for number, array in enumerate(first):
        for place in (0, 3 * array.size // 8, array.size - 1):
            changed = _copies(first)
            changed[number].flat[place] -= 1
            out = network.call(network.prepare(changed))
            network.check("with one input number changed: ", out, changed)


def check_networks_apart(implementation: Implementation, dtype: str) -> None:
    """Networks of the same shape must not be mixed up, even with the same input."""
    case = parse_case("4x6-6-6", "tanh", dtype)
    data, layers = implementation.workload.inputs(case)
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
    prepared = implementation.prepare_data(_copies(data))
    for network in (*together, together[0]):
        network.check(when, network.call(prepared), data)
    del together, network
    for layers in networks:  # one at a time; each is deleted before the next is made
        alone = _Network(implementation, case, layers)
        alone.check(when, alone.call(alone.prepare(data)), data)
        del alone


def check_batches(implementation: Implementation, dtype: str) -> None:
    """One network must take batches of any size, one after another."""
    network = _Network.of(implementation, "7x6-5-3", dtype)
    (data,) = network.inputs(1)
    for size in (4, 1, 7, 4):
        some = tuple(array[:size] for array in data)
        out = network.call(network.prepare(some))
        network.check(f"in a batch of {size} after other sizes: ", out, some)


def check_outputs_stay(implementation: Implementation, dtype: str) -> None:
    """Later calls must not change an output, unless the file sets ``REUSES_OUTPUT``."""
    if implementation.reuses_output:
        return
    returned = []
    for shape in ("4x6-5", "4x6-5-3", "32x8-16"):
        seeded = _Network.of(implementation, shape, dtype)
        first, second, third = seeded.inputs(3)
        inputs = [seeded.prepare(data) for data in (first, second)]
        for activation in ("tanh", "relu", "linear"):
            layers = [layer._replace(activation=activation) for layer in seeded.layers]
            network = _Network(implementation, seeded.case, layers)
            for prepared in (*inputs, inputs[0]):
                out = network.call(prepared)
                returned.append((network, out, [np.array(array) for array in network.arrays(out)]))
        if seeded.refill(inputs[0], third):
            seeded.call(inputs[0])
            network.call(inputs[0])
    for network, out, before in returned:
        if not all(map(np.array_equal, network.arrays(out), before)):
            raise WrongResultError(
                "a later call changed an output handed out earlier: return a new one, "
                "or say so with REUSES_OUTPUT = True"
            )


# --- finished work ---------------------------------------------------------------------


def check_finished(implementation: Implementation, timer: Timer = time.perf_counter) -> None:
    """Converting a result into NumPy must not contain hidden computation."""
    network = _Network.of(implementation, "4x6-5", "float64")
    first, second = network.inputs(2)
    data = _copies(first)
    prepared = implementation.prepare_data(data)
    out = network.call(prepared)
    _overwrite(data, second)
    network.refill(prepared, second)
    when = f"with the input refilled after {implementation.workload.function} returned"
    network.check(f"{when} (unfinished work?): ", out, first)
    for little, much in implementation.workload.little_and_much:
        _compare_conversions(implementation, little, much, timer)


_Check = TypeVar("_Check", bound=Callable[..., None])


_ATTEMPTS = 4


def _despite_noise(check: _Check) -> _Check:
    """Repeat a check that compares times; it fails only if every attempt fails.

    On a busy machine the times of a correct implementation sometimes differ by chance. Those of a
    wrong one always differ. A pause between attempts lets a disturbance pass.
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
    """Reading a result must not take longer because more work was needed to compute it."""
    _, convert_little = _best_times(implementation, little, timer)
    compute, convert = _best_times(implementation, much, timer)
    # After much work the caches are cold. So reading may be slower, but not as slow as the work.
    if convert > 2 * convert_little + 5e-6 and convert > compute / 10:
        raise WrongResultError(
            f"{much}: {implementation.workload.function} returned unfinished work: it took "
            f"{compute * 1e6:.3g} us, turning its result into NumPy {convert * 1e6:.3g} us "
            f"(after little work {convert_little * 1e6:.3g} us)"
        )


def _best_times(implementation: Implementation, case: Case, timer: Timer) -> tuple[float, float]:
    """Shortest seconds of a few calls, and of converting their results into NumPy."""
    call = _prepared_call(implementation, case)
    computing, converting = [], []
    for _ in range(5):
        start = timer()
        out = call()
        middle = timer()
        output_arrays(implementation, out, case.dtype)
        computing.append(middle - start)
        converting.append(timer() - middle)
        if sum(computing) > _LONG_ENOUGH:
            break
    return min(computing), min(converting)


def _prepared_call(implementation: Implementation, case: Case) -> Callable[[], Any]:
    """A call of the function on the prepared inputs of a case."""
    data, layers = implementation.workload.inputs(case)
    ready, prepared = implementation.prepare_layers(layers), implementation.prepare_data(data)
    return functools.partial(implementation.compute, *prepared, ready)


_LONG_ENOUGH = 0.05
"""After so many seconds of computing, no more calls are made to find the shortest."""
_WAIT = 0.02
"""After so many seconds, work left in the background is done, even on a busy machine."""


@_despite_noise
def check_not_asynchronous(
    implementation: Implementation,
    timer: Timer = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Waiting before a result is read must not make reading it faster.

    Reading is slower right after computing in any case, since caches are then full of other things.
    So whoever looks suspicious is asked for much more work behind a result that is as quick to
    read: only work that was not waited for makes reading take longer than the call itself.
    """
    for shape, share in (("64x2048-8", 0.1), ("64x16384-32", 1.0)):
        case = parse_case(shape, "linear")
        reading = _time_reading(implementation, case, timer, sleep)
        if reading is None:
            return
        computing, at_once, after_waiting = reading
        if at_once <= max(3 * after_waiting + 1e-5, share * computing):
            return
    raise WrongResultError(
        f"{case}: {implementation.workload.function} returned before its work was done: its "
        f"result took {at_once * 1e6:.3g} us to read at once and {after_waiting * 1e6:.3g} us "
        "later"
    )


def _time_reading(
    implementation: Implementation, case: Case, timer: Timer, sleep: Callable[[float], None]
) -> tuple[float, float, float] | None:
    """Seconds of a call, of reading its result at once, and of reading it after a wait.

    None where calls take so long that nobody else can be doing the work.
    """
    call = _prepared_call(implementation, case)
    times: dict[bool, list[float]] = {True: [], False: []}
    computing: list[float] = []
    earlier: Any = None
    for turn in range(8):
        start = timer()
        out = call()
        computing.append(timer() - start)
        # One long call may have been kept off its CPU.
        if turn and min(computing) > _LONG_ENOUGH:
            return None
        waits = turn % 2 == 1
        if waits:
            sleep(_WAIT)
            # Whatever was read before: a wait leaves caches cold.
            output_arrays(implementation, earlier, case.dtype)
        earlier = out
        start = timer()
        output_arrays(implementation, out, case.dtype)
        times[waits].append(timer() - start)
    # If another process had the CPU in between, background work may be done before a result is
    # read at once. It may also be still unfinished after the wait. So no single time is trusted.
    return min(computing), median(times[False]), min(times[True])


@_despite_noise
def check_no_memory(implementation: Implementation, timer: Timer = time.perf_counter) -> None:
    """A second call with the same input must compute the result again."""
    case = parse_case("4x32-256-256", "linear")
    data, layers = implementation.workload.inputs(case)
    ready = implementation.prepare_layers(layers)
    for k in range(2):  # warm up compilers, buffers and caches with separate inputs
        others = implementation.prepare_data([array * (k + 2) for array in data])
        implementation.compute(*others, ready)
    firsts: list[float] = []
    seconds: list[float] = []
    for k in range(6):
        prepared = implementation.prepare_data([array + k for array in data])
        for times in (firsts, seconds):
            start = timer()
            implementation.compute(*prepared, ready)
            times.append(timer() - start)
        if sum(firsts) > _LONG_ENOUGH:
            break
    if min(firsts) > 3 * min(seconds) + 2e-6:
        raise WrongResultError(
            f"{case}: {implementation.workload.function} remembers its answers: "
            f"{min(firsts) * 1e6:.3g} us for an input it had not seen, "
            f"{min(seconds) * 1e6:.3g} us for the same again"
        )
