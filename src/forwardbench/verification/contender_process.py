"""The process in which a contender's code runs: it obeys a judge, and judges nothing itself.

The judge, in another process, names what to prepare, to call and to read, one command at a time.
This process answers with plain numbers: readings of the clock, and the arrays of results. It is the
same process, with the same environment, the same loop and the same commands, whether a result is
being verified or timed.
"""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable, Sequence
from itertools import chain
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from forwardbench import implementations, workloads
from forwardbench.cases import Layer
from forwardbench.errors import describe_error
from forwardbench.implementations import (
    Implementation,
    ImplementationError,
    MissingExtraError,
    output_arrays,
    requirements,
)
from forwardbench.memory import copy_at_line
from forwardbench.processes.channel import receive, send
from forwardbench.processes.threads import ran_on, read_back
from forwardbench.verification.results import holds, is_of_framework, is_plain, numbers_within
from forwardbench.verification.rounds import Timer, gauge, renew, timed_rounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

Answer = tuple[dict[str, Any], Sequence[Any]]
"""Plain values and arrays."""

SETTLED_BYTES = 2**25 - 2**16
"""A block of this size is allocated and freed before anything else.

glibc gives large freed blocks back to the system, and each new one then costs a page fault for
every 4 KiB. It stops doing so for blocks as large as the largest that was ever freed, up to 32 MiB.
A program that has loaded data or weights has freed one, so most programs are in this state.
"""

_loaded: dict[str, Implementation] = {}
"""What a nursery has loaded for its children."""


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Load what a child needs, and compute nothing; the start of a nursery.

    ``task`` has the ``workload``, an ``extra`` whose modules are imported, and the ``files`` of
    implementations to load. Trouble with them shows when a child loads the implementation.
    """
    np.empty(SETTLED_BYTES, np.uint8)
    try:
        workloads.get(task["workload"])
        for module in requirements.EXTRAS.get(task["extra"], ()):
            importlib.import_module(module)
        for reference in task["files"]:
            _loaded[reference] = implementations.load(reference, task["workload"])
    except Exception:  # anybody's code; a child loads it again and says what is wrong
        _loaded.clear()
    return {"threads": read_back(), "versions": requirements.loaded_versions()}


def serve(connection: Connection, task: dict[str, Any]) -> None:
    """Answer commands until the connection ends."""
    service = Service(task["workload"])
    while True:
        try:
            message = receive(connection)
        except (EOFError, OSError):
            return
        values, arrays = service.answer(message.values, message.arrays)
        send(connection, values, arrays)


class Service:
    """Answers a judge's commands about one implementation."""

    def __init__(
        self,
        workload: str,
        implementation: Implementation | None = None,
        timer: Timer = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._workload = workload
        self._timer, self._sleep = timer, sleep
        self._implementation = implementation
        self._networks: dict[int, tuple[list[Layer], Any]] = {}
        """The layers as given, and as prepared."""
        self._data: dict[int, tuple[tuple[Array, ...], tuple[Any, ...]]] = {}
        """The arrays of a batch, and as prepared."""
        self._outputs: dict[int, Any] = {}
        self._earlier: Any = None
        """The result that was read last."""

    @property
    def implementation(self) -> Implementation:
        """The loaded implementation."""
        if self._implementation is None:
            raise ImplementationError("was not loaded")
        return self._implementation

    def answer(self, values: dict[str, Any], arrays: Sequence[Any]) -> Answer:
        """Obey one command; whatever a contender raises becomes an answer in words."""
        arguments = dict(values)
        try:
            return getattr(self, f"do_{arguments.pop('do')}")(arrays, **arguments)  # type: ignore[no-any-return]
        except MissingExtraError as error:
            return {"unavailable": str(error)}, ()
        except ImplementationError as error:
            return {"failed": str(error)}, ()
        except Exception as error:  # a contender may raise anything
            return {"failed": f"raised {describe_error(error)}"}, ()

    # --- commands: each takes arrays and plain values, and returns plain values and arrays -----
    # The judge numbers networks, data and results; so it need not wait for one command's answer
    # before it gives the next. Number 0 is this process's own.

    def do_describe(self, arrays: Sequence[Any]) -> Answer:
        """Say that a process of its own is ready."""
        return {"described": {}, "forks": False}, ()

    def do_load(self, arrays: Sequence[Any], reference: str) -> Answer:
        """Import the implementation."""
        start = self._timer()
        if self._implementation is None:
            loaded = _loaded.get(reference)
            self._implementation = loaded or implementations.load(reference, self._workload)
        count = self._implementation.thread_count
        return {
            "seconds": self._timer() - start,
            "reuses_output": self._implementation.reuses_output,
            "thread_count": None if count is None else [_plain(count())],
        }, ()

    def do_layers(self, arrays: Sequence[Any], number: int, activations: list[str]) -> Answer:
        """Prepare layers; ``arrays`` holds the weights and the bias of each in turn."""
        pairs = zip(arrays[::2], arrays[1::2], activations, strict=True)
        layers = [Layer(weights, bias, activation) for weights, bias, activation in pairs]
        start = self._timer()
        ready = self.implementation.prepare_layers(list(layers))
        seconds = self._timer() - start
        self._networks[number] = layers, ready
        return {"seconds": seconds}, ()

    def do_data(self, arrays: Sequence[Any], number: int) -> Answer:
        """Prepare the arrays of a batch."""
        start = self._timer()
        prepared = self.implementation.prepare_data(arrays)
        seconds = self._timer() - start
        self._data[number] = tuple(arrays), prepared
        return {"seconds": seconds}, ()

    def do_copies(self, arrays: Sequence[Any], data: int, numbers: list[int]) -> Answer:
        """Make sets of data like another; each has its own arrays."""
        for number in numbers:
            self.do_data([copy_at_line(array) for array in self._data[data][0]], number)
        return {}, ()

    def do_renew(
        self, arrays: Sequence[Any], base: int, targets: list[int], changes: list[list[float]]
    ) -> Answer:
        """Give sets of data new numbers, in place where their type allows.

        Returns the seconds that ``prepare_input`` took for each, None where it was not called.
        """
        seconds = []
        for number, (shift, scale) in zip(targets, changes, strict=True):
            own, prepared = self._data[number]
            for array, given in zip(own, self._data[base][0], strict=True):
                array.flags.writeable = True  # a contender may have made it read-only
                renew(given, int(shift), scale, array)
            seconds.append(self._prepare_again(number, own, prepared))
        return {"seconds": seconds}, ()

    def _prepare_again(
        self, number: int, own: tuple[Array, ...], prepared: tuple[Any, ...]
    ) -> float | None:
        if all(map(_is_same_memory, own, prepared)):
            return None
        start = self._timer()
        new = self.implementation.prepare_data(own)
        seconds = self._timer() - start
        if not _refill(prepared, new):
            self._data[number] = own, new
        return seconds

    def do_overwrite(self, arrays: Sequence[Any], data: int) -> Answer:
        """Overwrite the arrays from which data were prepared."""
        for own, new in zip(self._data[data][0], arrays, strict=True):
            own.flags.writeable = True
            own[...] = new
        return {}, ()

    def do_prepare(self, arrays: Sequence[Any], data: int, number: int) -> Answer:
        """Prepare the arrays of a set of data again, as they are now."""
        own = self._data[data][0]
        self._data[number] = own, self.implementation.prepare_data(own)
        return {}, ()

    def do_refill(self, arrays: Sequence[Any], data: int) -> Answer:
        """Overwrite prepared data with other numbers, where their type allows."""
        new = self.implementation.prepare_data(arrays)
        return {"refilled": _refill(self._data[data][1], new)}, ()

    def do_run(
        self, arrays: Sequence[Any], network: int, data: list[int], iterations: int,
        read: bool, keep: int, gauged: bool,
    ) -> Answer:  # fmt: skip
        """Make one round of calls on each set of data, with a clock.

        With ``gauged`` the CPU's speed is measured before and afterwards, see `gauge`.

        The last result is kept under the number ``keep``, unless that is 0.

        Returns for each round the clock at the start, after the first call and at the end, and the
        CPU time of this process. With ``read`` the last result is turned into arrays at once:
        whatever goes on in the background has no time to finish it.
        """
        ready = self._networks[network][1]
        prepared = [(*self._data[number][1], ready) for number in data]
        gc_was_on = gc.isenabled()
        gc.disable()  # as pytest-benchmark and timeit do
        try:
            before = gauge(self._timer) if gauged else 0.0
            stamps, cpu, out = timed_rounds(
                self.implementation.compute, prepared, iterations, self._timer
            )
            after = gauge(self._timer) if gauged else 0.0
            held, results = self._read(out, self._dtype(data[0])) if read else (True, [])
        finally:
            if gc_was_on:
                gc.enable()
        if keep:
            self._outputs[keep] = out
        plain = not any(map(is_of_framework, self.implementation.workload.arrays_of(out)))
        return {
            "stamps": stamps, "cpu": cpu, "held": held, "plain": plain,
            "gauge": max(before, after),
        }, results  # fmt: skip

    def do_read(self, arrays: Sequence[Any], output: int, dtype: str) -> Answer:
        """Turn a kept result into NumPy arrays."""
        held, results = self._read(self._outputs[output], dtype)
        return {"held": held}, results

    def _read(self, out: Any, dtype: str) -> tuple[bool, list[Any]]:
        """Turn a result into arrays; also tell whether it held these numbers before that."""
        implementation = self.implementation
        parts = implementation.workload.arrays_of(out)
        # Nothing can be hidden in NumPy's arrays and Python's numbers that are read as they are.
        plain = implementation.to_numpy is implementations.unchanged and all(map(is_plain, parts))
        before = [] if plain else [numbers_within(part) for part in parts]
        results = output_arrays(implementation, out, dtype)
        # Copies: a later call may use the same memory again, if the file says so.
        results = [np.array(result) for result in results]
        pairs = zip(results, before, strict=False)
        return all(holds(numbers, result) for result, numbers in pairs), results

    def _dtype(self, data: int) -> str:
        return str(self._data[data][0][0].dtype)

    def do_reading(
        self, arrays: Sequence[Any], network: int, data: list[int], wait: float
    ) -> Answer:
        """Time calls, reading their results, and reading finished arrays like these.

        ``wait`` is how many seconds to let go by before a result is read.
        """
        implementation, ready = self.implementation, self._networks[network][1]
        computing, new, finished = [], [], []
        for number in data:
            dtype, timer = self._dtype(number), self._timer
            start = timer()
            out = implementation.compute(*self._data[number][1], ready)
            computing.append(timer() - start)
            if wait:
                self._sleep(wait)
                # Whatever was read before: a wait leaves caches cold.
                earlier = out if self._earlier is None else self._earlier
                output_arrays(implementation, earlier, dtype)
            start = timer()
            read = output_arrays(implementation, out, dtype)
            new.append(timer() - start)
            parts = implementation.workload.arrays_of(out)
            alike = [
                self._finished_like(part, array) for part, array in zip(parts, read, strict=True)
            ]
            start = timer()
            for part in alike:
                self._read_finished(part)
            finished.append(timer() - start)
            self._earlier = out
        return {"computing": computing, "new": new, "finished": finished}, ()

    def _finished_like(self, part: Any, array: Array) -> Any:
        """A finished array of the type and shape of a result; NumPy's if there is no other way."""
        if type(part) is list:
            return array.tolist()
        copy = np.array(array, order="C")
        for prepare_array in self.implementation.prepare_array:
            converted = prepare_array(copy)
            if type(converted) is type(part):
                return converted
        return copy

    def _read_finished(self, part: Any) -> None:
        try:
            np.array(part)
        except (TypeError, RuntimeError, ValueError):  # on a GPU: only its own way leads back
            self.implementation.to_numpy(part)

    def do_solve(self, arrays: Sequence[Any], activations: list[str], calls: int) -> Answer:
        """Obey several commands at once: prepare data and layers, call, read, and drop them.

        ``arrays`` holds the data, and then the weights and the bias of each layer. Returns the
        arrays of each call's result, and the given arrays as they are afterwards.
        """
        cut = len(arrays) - 2 * len(activations)
        self.do_layers(arrays[cut:], 0, activations)
        self.do_data(arrays[:cut], 0)
        held, results = True, []
        for _ in range(calls):
            values, arrays_of_call = self.do_run((), 0, [0], 1, read=True, keep=0, gauged=False)
            held = held and values["held"]
            results.append(arrays_of_call)
        self.do_forget((), [0])
        answer = {"held": held, "counts": [len(each) for each in results]}
        return answer, [*chain.from_iterable(results), *arrays]

    def do_forget(self, arrays: Sequence[Any], numbers: list[int]) -> Answer:
        """Drop networks, data or results."""
        for number in numbers:
            for kept in (self._networks, self._data, self._outputs):
                kept.pop(number, None)
        return {}, ()

    def do_ran_on(self, arrays: Sequence[Any]) -> Answer:
        """Report CPUs and threads, after calls."""
        return ran_on(self.implementation.thread_count), ()


def _refill(prepared: Sequence[Any], new: Sequence[Any]) -> bool:
    """Overwrite prepared data in place; returns whether its type allows that."""
    pairs = list(zip(prepared, new, strict=True))
    if not all(_can_be_refilled(*pair) for pair in pairs):
        return False
    for old, replacement in pairs:
        old[... if isinstance(old, np.ndarray) else slice(None)] = replacement
    return True


def _can_be_refilled(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray):
        return bool(old.ndim and old.flags.writeable)
    return isinstance(old, list) and isinstance(new, list)


def _is_same_memory(array: Array, prepared: Any) -> bool:
    """Whether prepared data are NumPy's own array, so that new numbers in it are seen at once."""
    return type(prepared) is np.ndarray and np.shares_memory(array, prepared)


def _plain(value: Any) -> Any:
    """A value that JSON can hold, or its description."""
    return value if value is None or isinstance(value, int | float) else repr(value)
