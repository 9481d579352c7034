"""How an implementation must behave, besides returning correct numbers once.

It must not change its inputs, must compute every call anew, must not mix up networks, must not
change results that it returned earlier, and must return finished work.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from forwardbench.cases import Case, Layer, parse_case
from forwardbench.verification.case_families import Problem
from forwardbench.verification.check import Accuracy, WrongResultError, check_result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forwardbench.verification.contender import Contender
    from forwardbench.workloads import Answer, Workload

    Array = NDArray[np.floating]
    Data = tuple[Array, ...]

_ONE_CALL = 50_000
"""Problems with more multiply-adds are computed only once, since plain loops are slow."""


def check_problem(contender: Contender, problem: Problem) -> Accuracy:
    """Check the results on one problem, and that the inputs stay unchanged."""
    workload, case = contender.workload, problem.case
    calls: tuple[str, ...] = ("", "on the second call with the same input: ")
    if workload.multiply_adds(case) > _ONE_CALL:
        calls = calls[:1]
    results, given = contender.solve(problem.data, problem.layers, len(calls))
    accuracy = Accuracy(0.0, 0.0)
    for call, arrays in zip(calls, results, strict=True):
        accuracy = accuracy.worse(_check(call, arrays, case, problem.answers))
        if problem.nearly:
            _check(call, arrays, case, problem.nearly)
    _check_unchanged(contender, problem, given)
    return accuracy


def _check_unchanged(contender: Contender, problem: Problem, given: Sequence[Any]) -> None:
    """Check that inputs and layers hold what they were given."""
    changed = f"{problem.case}: {contender.workload.function} changed"
    arrays = iter(given)
    for name, before in zip(contender.workload.data, problem.data, strict=True):
        if not np.array_equal(next(arrays), before):
            raise WrongResultError(f"{changed} its input {name}")
    for number, layer in enumerate(problem.layers):
        for part in ("weights", "bias"):
            if not np.array_equal(next(arrays), getattr(layer, part)):
                raise WrongResultError(f"{changed} the {part} of layer {number}")


def _check(when: str, arrays: Sequence[Any], case: Case, answers: Sequence[Answer]) -> Accuracy:
    """Check a result; an error message begins with ``when``."""
    try:
        return check_result(arrays, case, answers)
    except WrongResultError as error:
        raise WrongResultError(f"{when}{error}") from None


class _Network:
    """A contender's prepared layers of one small network, to be called with several inputs."""

    def __init__(self, contender: Contender, case: Case, layers: Sequence[Layer]) -> None:
        self.contender = contender
        self.case = case
        self.layers = layers
        self.number, _ = contender.layers(layers)

    @classmethod
    def of(cls, contender: Contender, shape: str, dtype: str) -> _Network:
        """Prepare the seeded network of a case."""
        case = parse_case(shape, "tanh", dtype)
        return cls(contender, case, contender.workload.inputs(case)[1])

    def inputs(self, count: int) -> list[Data]:
        """Make several data sets; they differ in every number."""
        data, _ = self.contender.workload.inputs(self.case)
        return [
            tuple((array * (-0.9) ** k).astype(self.case.dtype) for array in data)
            for k in range(count)
        ]

    def prepare(self, data: Data) -> int:
        """Have a copy of the data prepared."""
        return self.contender.data(data)[0]

    def call(self, prepared: int) -> list[Any]:
        """Have the function called on prepared data; returns the arrays of the result."""
        return self.contender.call(self.number, prepared)[1]

    def check(self, when: str, arrays: Sequence[Any], data: Data) -> None:
        """Compare a result with the correct one for data of any batch size."""
        case = replace(self.case, batch=len(data[0]))
        answers = self.contender.workload.answers(*data, self.layers)
        _check(when, arrays, case, answers)


def check_fresh(contender: Contender, dtype: str) -> None:
    """When numbers in the same array change, even a single one, the result must change too."""
    network = _Network.of(contender, "4x6-5-3", dtype)
    first, second = network.inputs(2)
    data = network.prepare(first)
    network.check("", network.call(data), first)
    contender.overwrite(data, second)
    prepared = contender.prepare(data)
    network.check("with the same array refilled in place: ", network.call(prepared), second)
    if contender.refill(prepared, first):
        network.check("with the prepared input refilled in place: ", network.call(prepared), first)
    for number, array in enumerate(first):
        for place in (0, 3 * array.size // 8, array.size - 1):
            changed = tuple(array.copy() for array in first)
            changed[number].flat[place] -= 1
            arrays = network.call(network.prepare(changed))
            network.check("with one input number changed: ", arrays, changed)


def check_networks_apart(contender: Contender, dtype: str) -> None:
    """Networks of the same shape must not be mixed up, even with the same input."""
    case = parse_case("4x6-6-6", "tanh", dtype)
    data, layers = contender.workload.inputs(case)
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
    together = [_Network(contender, case, network) for network in networks]
    prepared = contender.data(data)[0]
    for network in (*together, together[0]):
        network.check(when, network.call(prepared), data)
    contender.forget(*(network.number for network in together))
    for layers in networks:  # one at a time; each is deleted before the next is made
        alone = _Network(contender, case, layers)
        alone.check(when, alone.call(alone.prepare(data)), data)
        contender.forget(alone.number)


def check_batches(contender: Contender, dtype: str) -> None:
    """One network must take batches of any size, one after another."""
    network = _Network.of(contender, "7x6-5-3", dtype)
    (data,) = network.inputs(1)
    for size in (4, 1, 7, 4):
        some = tuple(array[:size] for array in data)
        arrays = network.call(network.prepare(some))
        network.check(f"in a batch of {size} after other sizes: ", arrays, some)


def check_outputs_stay(contender: Contender, dtype: str) -> None:
    """Later calls must not change an output, unless the file sets ``REUSES_OUTPUT``."""
    if contender.reuses_output:
        return
    returned = []
    for shape in ("4x6-5", "4x6-5-3", "32x8-16"):
        seeded = _Network.of(contender, shape, dtype)
        first, second, third = seeded.inputs(3)
        inputs = [seeded.prepare(data) for data in (first, second)]
        for activation in ("tanh", "relu", "linear"):
            layers = [layer._replace(activation=activation) for layer in seeded.layers]
            network = _Network(contender, seeded.case, layers)
            for prepared in (*inputs, inputs[0]):
                returned.append(contender.call(network.number, prepared))
        if contender.refill(inputs[0], third):
            seeded.call(inputs[0])
            network.call(inputs[0])
    for output, before in returned:
        if not all(map(np.array_equal, contender.read(output, dtype), before)):
            raise WrongResultError(
                "a later call changed an output handed out earlier: return a new one, "
                "or say so with REUSES_OUTPUT = True"
            )


# --- finished work ---------------------------------------------------------------------


def check_finished(contender: Contender) -> None:
    """Converting a result into NumPy must not contain hidden computation."""
    network = _Network.of(contender, "4x6-5", "float64")
    first, second = network.inputs(2)
    data = network.prepare(first)
    output, _ = contender.call(network.number, data)
    contender.overwrite(data, second)
    contender.refill(data, second)
    when = f"with the input refilled after {contender.workload.function} returned"
    network.check(f"{when} (unfinished work?): ", contender.read(output, "float64"), first)
    for little, much in contender.workload.little_and_much:
        if not _holds_its_numbers(contender, much):
            _compare_conversions(contender, little, much)


def _holds_its_numbers(contender: Contender, case: Case) -> bool:
    """Check a result that is read at once, before anybody else can finish it.

    Returns whether that is enough: an array of a framework may wait for its numbers when read.
    """
    data, layers = contender.workload.inputs(case)
    network, prepared = contender.layers(layers)[0], contender.data(data)[0]
    rounds = contender.run(network, [prepared], read=True, keep=False)
    contender.check_held(rounds.held)
    _check("read at once: ", rounds.arrays, case, expected_of(contender.workload, case))
    contender.forget(network, prepared)
    return rounds.plain


@lru_cache(maxsize=32)
def expected_of(workload: Workload, case: Case) -> list[Answer]:
    """The correct result of a case as every machine has it: nearly, in all places if possible."""
    data, layers = workload.inputs(case)
    if workload.nearly:
        return workload.nearly(*data, layers)
    return workload.answers(*data, layers, few=True)


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
def _compare_conversions(contender: Contender, little: Case, much: Case) -> None:
    """Reading a result must not take longer because more work was needed to compute it."""
    _, convert_little = _best_times(contender, little)
    compute, convert = _best_times(contender, much)
    # After much work the caches are cold. So reading may be slower, but not as slow as the work.
    if convert > 2 * convert_little + 5e-6 and convert > compute / 10:
        raise WrongResultError(
            f"{much}: {contender.workload.function} returned unfinished work: it took "
            f"{compute * 1e6:.3g} us, turning its result into NumPy {convert * 1e6:.3g} us "
            f"(after little work {convert_little * 1e6:.3g} us)"
        )


def _best_times(contender: Contender, case: Case) -> tuple[float, float]:
    """Shortest seconds of a few calls, and of converting their results into NumPy."""
    network, data = _prepared(contender, case)
    computing: list[float] = []
    converting: list[float] = []
    for _ in range(5):
        reading = contender.reading(network, [data])
        computing += reading.computing
        converting += reading.new
        if sum(computing) > _LONG_ENOUGH:
            break
    contender.forget(network, data)
    return min(computing), min(converting)


def _prepared(contender: Contender, case: Case) -> tuple[int, int]:
    """The layers and the data of a case, prepared."""
    data, layers = contender.workload.inputs(case)
    return contender.layers(layers)[0], contender.data(data)[0]


_LONG_ENOUGH = 0.05
"""After so many seconds of computing, no more calls are made to find the shortest."""
_WAIT = 0.02
"""After so many seconds, work left in the background is done, even on a busy machine."""


@_despite_noise
def check_not_asynchronous(contender: Contender) -> None:
    """Waiting before a result is read must not make reading it faster.

    Reading is slower right after computing in any case, since caches are then full of other things.
    So whoever looks suspicious is asked for much more work behind a result that is as quick to
    read: only work that was not waited for makes reading take longer than the call itself.
    """
    for shape, share in (("64x2048-8", 0.1), ("64x16384-32", 1.0)):
        case = parse_case(shape, "linear")
        if _holds_its_numbers(contender, case):
            return
        reading = _time_reading(contender, case)
        if reading is None:
            return
        computing, at_once, after_waiting = reading
        if at_once <= max(3 * after_waiting + 1e-5, share * computing):
            return
    raise WrongResultError(
        f"{case}: {contender.workload.function} returned before its work was done: its "
        f"result took {at_once * 1e6:.3g} us to read at once and {after_waiting * 1e6:.3g} us "
        "later"
    )


def _time_reading(contender: Contender, case: Case) -> tuple[float, float, float] | None:
    """Seconds of a call, of reading its result at once, and of reading it after a wait.

    None where calls take so long that nobody else can be doing the work.
    """
    network, data = _prepared(contender, case)
    times: dict[bool, list[float]] = {True: [], False: []}
    computing: list[float] = []
    for turn in range(8):
        waits = turn % 2 == 1
        reading = contender.reading(network, [data], _WAIT if waits else 0.0)
        computing += reading.computing
        # One long call may have been kept off its CPU.
        if turn and min(computing) > _LONG_ENOUGH:
            return None
        times[waits] += reading.new
    contender.forget(network, data)
    # If another process had the CPU in between, background work may be done before a result is
    # read at once. It may also be still unfinished after the wait. So no single time is trusted.
    return min(computing), median(times[False]), min(times[True])


@_despite_noise
def check_no_memory(contender: Contender) -> None:
    """A second call with the same input must compute the result again."""
    case = parse_case("4x32-256-256", "linear")
    data, layers = contender.workload.inputs(case)
    network, _ = contender.layers(layers)
    for k in range(2):  # warm up compilers, buffers and caches with separate inputs
        contender.run(network, [contender.data([array * (k + 2) for array in data])[0]])
    firsts: list[float] = []
    seconds: list[float] = []
    for k in range(6):
        rounds = contender.run(network, [contender.data([array + k for array in data])[0]], 2)
        firsts += rounds.firsts
        seconds.append(rounds.seconds[0] - rounds.firsts[0])
        if sum(firsts) > _LONG_ENOUGH:
            break
    if min(firsts) > 3 * min(seconds) + 2e-6:
        raise WrongResultError(
            f"{case}: {contender.workload.function} remembers its answers: "
            f"{min(firsts) * 1e6:.3g} us for an input it had not seen, "
            f"{min(seconds) * 1e6:.3g} us for the same again"
        )
