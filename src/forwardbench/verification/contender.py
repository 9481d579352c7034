"""A contender as its judge sees it: commands, answers in plain numbers, and nothing of its code.

The contender's code runs in another process (`contender_process`), which only this process tells
what to do. Tests and asv may keep it in this process instead.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np

from forwardbench import processes
from forwardbench.processes.channel import Message
from forwardbench.processes.nursery import Child
from forwardbench.verification.check import WrongResultError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forwardbench.cases import Layer
    from forwardbench.workloads import Inputs, Workload

    Array = NDArray[np.floating]

TIME_LIMIT = 60.0
"""A contender that does not answer a command for so many seconds counts as hanging."""

_BLIND, _SMALL_BYTES = 4, 2**20
"""Data up to this size are prepared so often before the layers are known; the shortest counts."""

UNFINISHED = (
    "returned unfinished work: what it returned does not hold the numbers that it is turned into"
)


class Channel(Protocol):
    """Carries commands to a contender, and the answers back in the same order."""

    def post(self, values: dict[str, Any], arrays: Sequence[Any] = ()) -> None:
        """Send a command; raises `ChildError`."""

    def collect(self, seconds: float) -> Message:
        """Wait for the next answer; raises `ChildError`."""


class ContenderFailedError(Exception):
    """A contender raised something, or its process died; the message says what."""


class ContenderUnavailableError(Exception):
    """What a contender needs is not here; the message says what to do."""


class Rounds(NamedTuple):
    """Some rounds of calls, and the result of the last call."""

    starts: list[float]
    """The clock at the start of each round."""
    firsts: list[float]
    """Seconds of the first call of each round."""
    seconds: list[float]
    """Seconds of each round."""
    cpu_seconds: list[float]
    """CPU time of the contender's process in each round."""
    output: int
    """The number of the last call's result; 0 if it was not kept."""
    held: bool = True
    """Whether that result held its numbers before it was read."""
    arrays: Sequence[Any] = ()
    """The arrays of that result, if they were asked for."""
    plain: bool = True
    """Whether it is no array of a framework, which may hide work that only time shows."""
    gauge: float = 0.0
    """Seconds of a fixed piece of work, if asked: how fast the CPU was.

    The longer of two measurements, before and after the rounds.
    """


class Reading(NamedTuple):
    """Seconds of some calls, and of reading their results."""

    computing: list[float]
    new: list[float]
    """Of reading a result that was just returned."""
    finished: list[float]
    """Of reading a finished array of the same type and shape."""


@dataclass
class Beginning:
    """The numbers of inputs that are prepared for being timed, and the seconds that it took."""

    network: int
    base: int
    """Of the data as every machine has them; they are never timed."""
    untimed: int
    """Of the data of calls that are not timed."""
    preparing: list[float] = field(default_factory=list)
    preparing_blind: list[float] = field(default_factory=list)
    """Seconds of each ``prepare_input`` before the layers were known."""


class Contender:
    """An implementation in a process of its own."""

    def __init__(
        self, name: str, workload: Workload, channel: Channel, child: Child | None = None,
        time_limit: float = TIME_LIMIT,
    ) -> None:  # fmt: skip
        self.name, self.workload = name, workload
        self._channel, self._time_limit = channel, time_limit
        self._expected: deque[Callable[[dict[str, Any]], None]] = deque()
        """What to do with the answers to commands that were given and not waited for."""
        self._numbers = count(1)
        self.child = child
        """The process that runs it; None if that is this process."""
        self.reuses_output = False
        self.compiles = False
        """Whether its first call of each shape takes much longer."""
        self.thread_count: list[Any] | None = None
        """What its ``thread_count`` returned, as the only item; None if it has none."""
        self.loading_seconds = 0.0

    def load(self, reference: str = "") -> Self:
        """Import it; what comes of that shows in `settle`."""

        def loaded(values: dict[str, Any]) -> None:
            self.reuses_output = values["reuses_output"] is True
            self.thread_count = values["thread_count"]
            self.loading_seconds = float(values["seconds"])

        self._post(loaded, "load", reference=reference)
        return self

    def settle(self) -> Self:
        """Wait for the answers to all commands that were given.

        Raises `ContenderFailedError` or `ContenderUnavailableError`.
        """
        while self._expected:
            deed, message = self._expected.popleft(), self._answer()
            try:
                deed(message.values)
            except (KeyError, TypeError, ValueError) as error:
                raise ContenderFailedError(f"sent something that is no answer: {error}") from None
        return self

    def _post(
        self, deed: Callable[[dict[str, Any]], None], do: str, arrays: Sequence[Any] = (),
        **values: Any,
    ) -> None:  # fmt: skip
        """Give a command, and do something with the values of its answer once that is there."""
        try:
            self._channel.post({"do": do, **values}, arrays)
        except processes.ChildError as error:
            raise ContenderFailedError(str(error)) from None
        self._expected.append(deed)

    def _command(self, do: str, arrays: Sequence[Any] = (), **values: Any) -> Message:
        """Give a command and wait for its answer, and for those of all before it."""
        self._post(_nothing, do, arrays, **values)
        last = self._expected.pop()
        self.settle()
        message = self._answer()
        last(message.values)
        return message

    def _answer(self) -> Message:
        try:
            message = self._channel.collect(self._time_limit)
        except processes.ChildError as error:
            raise ContenderFailedError(str(error)) from None
        if "unavailable" in message.values:
            raise ContenderUnavailableError(str(message.values["unavailable"]))
        if "failed" in message.values:
            raise ContenderFailedError(str(message.values["failed"]))
        return message

    def layers(self, layers: Sequence[Layer]) -> tuple[int, float]:
        """Have layers prepared; returns their number and the seconds it took."""
        number = next(self._numbers)
        seconds: list[float] = []
        self._post(_seconds_to(seconds), "layers", **self._layers(layers), number=number)
        self.settle()
        return number, sum(seconds)

    @staticmethod
    def _layers(layers: Sequence[Layer]) -> dict[str, Any]:
        return {
            "arrays": [part for layer in layers for part in (layer.weights, layer.bias)],
            "activations": [layer.activation for layer in layers],
        }

    def data(self, arrays: Sequence[Array]) -> tuple[int, float]:
        """Have the arrays of a batch prepared; returns their number and the seconds it took."""
        number = next(self._numbers)
        return number, float(self._command("data", arrays, number=number).values["seconds"])

    def begin(self, inputs: Inputs, change: tuple[int, float]) -> Beginning:
        """Have inputs prepared for being timed; what comes of that shows in `settle`.

        Before the layers are known, the data of calls that are not timed get new numbers by a
        ``change``; what preparing data takes later is compared with that.
        """
        data, layers = inputs
        begun = Beginning(next(self._numbers), next(self._numbers), next(self._numbers))
        seconds = _seconds_to(begun.preparing)
        self._post(seconds, "data", data, number=begun.base)
        self.copies(begun.base, [begun.untimed])
        small = sum(array.nbytes for array in data) <= _SMALL_BYTES
        times = _BLIND if small else 1
        self.renew(
            begun.base, [begun.untimed] * times, [change] * times, begun.preparing_blind
        )  # fmt: skip
        self._post(seconds, "layers", **self._layers(layers), number=begun.network)
        return begun

    def copies(self, data: int, numbers: Sequence[int]) -> None:
        """Have more sets of data made like one, each with its own arrays; see `settle`."""
        self._post(_nothing, "copies", data=data, numbers=list(numbers))

    def more_copies(self, data: int, many: int) -> list[int]:
        """Have so many more sets of data made like one; see `settle`."""
        numbers = list(islice(self._numbers, many))
        self.copies(data, numbers)
        return numbers

    def renew(
        self, base: int, targets: Sequence[int], changes: Sequence[tuple[int, float]],
        preparing: list[float],
    ) -> None:  # fmt: skip
        """Give sets of data new numbers; see `settle`.

        The seconds of each ``prepare_input`` that was called are added to ``preparing``.
        """
        self._post(
            _seconds_to(preparing), "renew", base=base, targets=list(targets),
            changes=[list(change) for change in changes],
        )  # fmt: skip

    def overwrite(self, data: int, arrays: Sequence[Array]) -> None:
        """Overwrite the arrays from which data were prepared."""
        self._command("overwrite", arrays, data=data)

    def prepare(self, data: int) -> int:
        """Have the arrays of some data prepared once more, as they are now."""
        number = next(self._numbers)
        self._command("prepare", data=data, number=number)
        return number

    def refill(self, data: int, arrays: Sequence[Array]) -> bool:
        """Overwrite prepared data in place; returns whether their type allows that."""
        return self._command("refill", arrays, data=data).values["refilled"] is True

    def run(
        self, network: int, data: Sequence[int], iterations: int = 1, *,
        read: bool = False, keep: bool = True, gauged: bool = False,
    ) -> Rounds:  # fmt: skip
        """Have one round of calls made on each set of data; read and keep the last result."""
        output = next(self._numbers) if keep else 0
        message = self._command(
            "run", network=network, data=list(data), iterations=iterations,
            read=read, keep=output, gauged=gauged,
        )  # fmt: skip
        values = message.values
        stamps = np.array(values["stamps"], np.float64).reshape(len(data), 3)
        start, first, end = stamps.T
        return Rounds(
            start.tolist(), (first - start).tolist(), (end - start).tolist(),
            [float(seconds) for seconds in values["cpu"]],
            output, values["held"] is True, message.arrays,
            values["plain"] is True, float(values["gauge"]),
        )  # fmt: skip

    def call_untimed(self, network: int, data: int, seconds: list[float]) -> None:
        """Have the function called once; see `settle`. The seconds are added to ``seconds``."""

        def add(values: dict[str, Any]) -> None:
            ((start, _, end),) = values["stamps"]
            seconds.append(float(end) - float(start))

        self._post(
            add,
            "run",
            network=network,
            data=[data],
            iterations=1,
            read=False,
            keep=0,
            gauged=False,
        )

    def call(self, network: int, data: int) -> tuple[int, list[Any]]:
        """Have the function called once; returns the number of its result, and its arrays.

        Raises `WrongResultError` if the result did not hold these numbers before it was read.
        """
        rounds = self.run(network, [data], read=True)
        self.check_held(rounds.held)
        return rounds.output, list(rounds.arrays)

    def read(self, output: int, dtype: str) -> list[Any]:
        """The arrays of a result."""
        return self._command("read", output=output, dtype=dtype).arrays

    def reading(self, network: int, data: Sequence[int], wait: float = 0.0) -> Reading:
        """Time calls, and reading their results after ``wait`` seconds."""
        values = self._command("reading", network=network, data=list(data), wait=wait).values
        return Reading(*([float(s) for s in values[name]] for name in Reading._fields))

    def solve(
        self, data: Sequence[Array], layers: Sequence[Layer], calls: int
    ) -> tuple[list[list[Any]], list[Any]]:
        """Have a problem solved, in some calls.

        Returns the arrays of each call's result, and those of the data and the layers afterwards.
        Raises `WrongResultError` if a result did not hold its numbers before it was read.
        """
        parts = [part for layer in layers for part in (layer.weights, layer.bias)]
        activations = [layer.activation for layer in layers]
        message = self._command("solve", [*data, *parts], activations=activations, calls=calls)
        self.check_held(message.values["held"])
        arrays = iter(message.arrays)
        results = [list(islice(arrays, int(count))) for count in message.values["counts"]]
        return results, list(arrays)

    def check_held(self, held: Any) -> None:
        """Raise `WrongResultError` unless a result held its numbers before it was read."""
        if held is not True:
            raise WrongResultError(f"{self.workload.function} {UNFINISHED}")

    def forget(self, *numbers: int) -> None:
        """Have networks, data or results dropped."""
        self._command("forget", numbers=list(numbers))

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time that its process has used, and that of everything started by it."""
        return (time.process_time(), 0.0) if self.child is None else self.child.cpu_seconds()

    def check_cpus(self) -> None:
        """Raise `WrongResultError` if it has given itself more CPUs than it was given."""
        beyond = self.child.cpus_beyond_its_own() if self.child is not None else set()
        if beyond:
            raise WrongResultError(
                f"it may run on CPUs that were not given to it: {sorted(beyond)}"
            )

    def ran_on(self) -> dict[str, Any]:
        """CPUs and threads of its process, after calls."""
        return self._command("ran_on").values

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End its process and everything that it has started."""
        if self.child is not None:
            self.child.end()


def _nothing(values: dict[str, Any]) -> None:
    """There is nothing to do with an answer but to wait for it."""


def _seconds_to(times: list[float]) -> Callable[[dict[str, Any]], None]:
    """Adds the seconds of an answer, one or several or None, to a list of times."""

    def add(values: dict[str, Any]) -> None:
        seconds = values["seconds"]
        several = seconds if isinstance(seconds, list) else [seconds]
        times.extend(float(each) for each in several if each is not None)

    return add
