"""A contender as its judge sees it: commands, answers in plain numbers, and nothing of its code.

The contender's code runs in another process (`contender_process`), which only this process tells
what to do. Tests and asv may keep it in this process instead.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from forwardbench import implementations, processes, workloads
from forwardbench.implementations import requirements
from forwardbench.processes.channel import Message
from forwardbench.processes.nursery import Child, Nursery, Upbringing
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender_process import Service
from forwardbench.verification.rounds import Timer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forwardbench.cases import Layer
    from forwardbench.implementations import Implementation
    from forwardbench.workloads import Workload

    Array = NDArray[np.floating]

TIME_LIMIT = 60.0
"""A contender that does not answer a command for so many seconds counts as hanging."""

UNFINISHED = (
    "returned unfinished work: what it returned does not hold the numbers that it is turned into"
)

COMPILED_CODE = {
    "TORCHINDUCTOR_CACHE_DIR": str(Path(tempfile.gettempdir()) / "forwardbench-torchinductor"),
}
"""Environment variables with folders for compiled code, which outlives a process.

The temporary folder of a contender's process is its own. In it, every process would have to compile
everything anew.
"""

Ask = Callable[[dict[str, Any], Sequence[Any]], Message]


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
    """The number of the last call's result."""
    held: bool = True
    """Whether that result held its numbers before it was read."""
    arrays: Sequence[Any] = ()
    """The arrays of that result, if they were asked for."""
    plain: bool = True
    """Whether it is no array of a framework, which may hide work that only time shows."""


class Reading(NamedTuple):
    """Seconds of some calls, and of reading their results."""

    computing: list[float]
    new: list[float]
    """Of reading a result that was just returned."""
    finished: list[float]
    """Of reading a finished array of the same type and shape."""


class Contender:
    """An implementation in a process of its own."""

    def __init__(self, name: str, workload: Workload, ask: Ask, child: Child | None = None) -> None:
        self.name, self.workload = name, workload
        self._ask = ask
        self.child = child
        """The process that runs it; None if that is this process."""
        self.reuses_output = False
        self.compiles = False
        """Whether its first call of each shape takes much longer."""
        self.thread_count: list[Any] | None = None
        """What its ``thread_count`` returned, as the only item; None if it has none."""
        self.loading_seconds = 0.0

    def load(self, reference: str = "") -> Self:
        """Import it. Raises `ContenderFailedError` or `ContenderUnavailableError`."""
        values = self._command("load", reference=reference)[0]
        self.reuses_output = values["reuses_output"] is True
        self.thread_count = values["thread_count"]
        self.loading_seconds = float(values["seconds"])
        return self

    def _command(self, do: str, arrays: Sequence[Any] = (), **values: Any) -> Message:
        try:
            message = self._ask({"do": do, **values}, arrays)
        except processes.ChildError as error:
            raise ContenderFailedError(str(error)) from None
        if "unavailable" in message.values:
            raise ContenderUnavailableError(str(message.values["unavailable"]))
        if "failed" in message.values:
            raise ContenderFailedError(str(message.values["failed"]))
        return message

    def layers(self, layers: Sequence[Layer]) -> tuple[int, float]:
        """Have layers prepared; returns their number and the seconds it took."""
        arrays = [part for layer in layers for part in (layer.weights, layer.bias)]
        activations = [layer.activation for layer in layers]
        values = self._command("layers", arrays, activations=activations).values
        return int(values["number"]), float(values["seconds"])

    def data(self, arrays: Sequence[Array]) -> tuple[int, float]:
        """Have the arrays of a batch prepared; returns their number and the seconds it took."""
        values = self._command("data", arrays).values
        return int(values["number"]), float(values["seconds"])

    def copies(self, data: int, count: int) -> list[int]:
        """Have more sets of data made like one; each has its own arrays."""
        return [int(n) for n in self._command("copies", data=data, count=count).values["numbers"]]

    def renew(
        self, base: int, targets: Sequence[int], changes: Sequence[tuple[int, float]]
    ) -> list[float]:
        """Give sets of data new numbers; returns the seconds of each ``prepare_input`` called."""
        values = self._command(
            "renew", base=base, targets=list(targets), changes=[list(change) for change in changes]
        ).values
        return [float(seconds) for seconds in values["seconds"] if seconds is not None]

    def overwrite(self, data: int, arrays: Sequence[Array]) -> None:
        """Overwrite the arrays from which data were prepared."""
        self._command("overwrite", arrays, data=data)

    def prepare(self, data: int) -> int:
        """Have the arrays of some data prepared once more, as they are now."""
        return int(self._command("prepare", data=data).values["number"])

    def refill(self, data: int, arrays: Sequence[Array]) -> bool:
        """Overwrite prepared data in place; returns whether their type allows that."""
        return self._command("refill", arrays, data=data).values["refilled"] is True

    def run(
        self, network: int, data: Sequence[int], iterations: int = 1, *,
        read: bool = False, keep: bool = True,
    ) -> Rounds:  # fmt: skip
        """Have one round of calls made on each set of data; read and keep the last result."""
        message = self._command(
            "run", network=network, data=list(data), iterations=iterations,
            read=read, keep=keep,
        )  # fmt: skip
        values = message.values
        stamps = np.array(values["stamps"], np.float64).reshape(len(data), 3)
        start, first, end = stamps.T
        return Rounds(
            start.tolist(), (first - start).tolist(), (end - start).tolist(),
            [float(seconds) for seconds in values["cpu"]],
            int(values["output"]), values["held"] is True, message.arrays,
            values["plain"] is True,
        )  # fmt: skip

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


def in_this_process(
    implementation: Implementation,
    timer: Timer = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Contender:
    """An implementation that is loaded here already, for tests and asv."""
    service = Service(implementation.workload.name, implementation, timer, sleep)

    def ask(values: dict[str, Any], arrays: Sequence[Any]) -> Message:
        answered, results = service.answer(values, [np.array(array) for array in arrays])
        return Message(answered, [np.array(array) for array in results])

    return Contender(implementation.name, implementation.workload, ask).load()


def raised_by(
    reference: str,
    workload: str,
    threads: int,
    cpus: Sequence[int],
    *,
    alone: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Nursery:
    """Start the nursery of an implementation: all that need the same framework can share it.

    With ``alone`` nothing is loaded beforehand, and each child is a new process.
    """
    description = implementations.describe(reference)
    files = [reference]
    if implementations.is_builtin(description.path):
        # All that need nothing but NumPy, whatever a run is about: its cells must not matter.
        files = [] if description.requires else names_without_framework(workload)
    task = {
        "workload": workload,
        "extra": "" if alone else description.requires,
        "files": [] if alone else files,
    }
    return Nursery(
        Upbringing(
            "forwardbench.verification.contender_process",
            task,
            {**COMPILED_CODE, **processes.thread_environment(threads), **(environment or {})},
            tuple(cpus),
            # A GPU's driver does not survive a fork.
            forks=not alone and description.needs != requirements.GPU,
        )
    )


@cache
def names_without_framework(workload: str) -> list[str]:
    """Names of the suite's own implementations of a workload that need nothing but NumPy."""
    names = implementations.names_for(workloads.get(workload))
    return [name for name in names if not implementations.describe(name).requires]


@cache
def compiles(reference: str) -> bool:
    """Whether a file says that it compiles. Cached, since the file may be deleted later."""
    return implementations.describe(reference).compiles


@cache
def nursery_key(reference: str) -> str:
    """Implementations with the same key can share a nursery: those that need the same framework.

    A user's file gets its own, since its imports are not known. Cached, since the file may be
    deleted later.
    """
    description = implementations.describe(reference)
    return description.requires if implementations.is_builtin(description.path) else reference


def contender_from(
    nursery: Nursery, reference: str, workload: str, time_limit: float = TIME_LIMIT
) -> Contender:
    """Get a fresh process for an implementation, and load it there.

    Raises `ContenderFailedError` or `ContenderUnavailableError`.
    """
    name = Path(reference).stem
    try:
        child = nursery.child()
    except processes.ChildError as error:
        raise ContenderFailedError(str(error)) from None

    def ask(values: dict[str, Any], arrays: Sequence[Any]) -> Message:
        return child.ask(values, arrays, time_limit)

    contender = Contender(name, workloads.get(workload), ask, child)
    contender.compiles = compiles(reference)
    try:
        return contender.load(reference)
    except BaseException:
        contender.end()
        raise
