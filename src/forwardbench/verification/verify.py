"""Verification: only implementations with correct results are timed.

Every implementation is checked on every case family, for its results and for its behaviour. The
checks run in child processes, and each implementation gets a verdict.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from forwardbench import implementations, processes, workloads
from forwardbench.cases import DTYPES
from forwardbench.implementations import ImplementationError
from forwardbench.processes.nursery import Nursery
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.verification import behaviour
from forwardbench.verification.case_families import Problem, problems
from forwardbench.verification.check import Accuracy, WrongResultError
from forwardbench.verification.contender import (
    TIME_LIMIT,
    Contender,
    ContenderFailedError,
    ContenderUnavailableError,
)
from forwardbench.verification.upbringing import contender_from, nursery_key, raised_by


@dataclass(frozen=True)
class Verdict:
    """The result of verification for one implementation."""

    implementation: str
    status: str
    """`verified`, `rejected`, `failed` or `unavailable`."""
    reason: str = ""
    checks: int = 0
    share: float = 0.0
    """Largest error over all problems, as a share of the bound on it."""
    seed: int = 0
    """Drew the problems and places that are new in each verification; makes them again."""

    @property
    def checked(self) -> bool:
        """Whether there were any checks: a file that cannot be loaded gets none."""
        return self.status == "verified" or self.checks > 0 or self.status == "rejected"


_PART_COMPILED = 4
"""Of the drawn problems every so many-th is for a file that compiles. Others get all of them."""
_AT_ONCE = 4
"""So many implementations are checked at once at most, each on a CPU of its own."""


class Nurseries:
    """The nurseries of a run's contenders, each started when it is first needed."""

    def __init__(self, workload: str, threads: int = 1, cpus: Sequence[int] = ()) -> None:
        self._workload, self._threads = workload, threads
        self._cpus = tuple(cpus or processes.cpus_for(threads))
        self._started: dict[str, Nursery] = {}

    def contender(self, reference: str, time_limit: float = TIME_LIMIT) -> Contender:
        """Get a fresh process for an implementation.

        Raises `ContenderFailedError` or `ContenderUnavailableError`.
        """
        with ExitStack() as stack:
            contender = stack.enter_context(self.begin(reference, time_limit))
            contender.settle()
            stack.pop_all()
        return contender

    def begin(self, reference: str, time_limit: float = TIME_LIMIT) -> Contender:
        """Get a fresh process for an implementation, which gets ready by itself; see `settle`.

        Raises `ContenderFailedError`.
        """
        nursery = self.start(reference)
        return contender_from(nursery, reference, self._workload, time_limit)

    def start(self, reference: str) -> Nursery:
        """Begin to start the nursery of an implementation, which then gets ready by itself."""
        key = nursery_key(reference)
        if key not in self._started:
            self._started[key] = raised_by(reference, self._workload, self._threads, self._cpus)
        return self._started[key]

    def described(self) -> dict[str, Any]:
        """Threads and versions of what the nurseries have loaded."""
        described = [nursery.described for nursery in self._started.values()]
        versions = {name: text for each in described for name, text in each["versions"].items()}
        threads = described[0]["threads"] if described else {"cpus": [], "pools": []}
        return {"threads": threads, "versions": versions}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for nursery in self._started.values():
            nursery.close()


def verify_all(
    references: Sequence[str],
    time_limit: float = TIME_LIMIT,
    workload: str = DEFAULT_WORKLOAD,
    seed: int | None = None,
) -> Iterator[Verdict]:
    """Check several implementations and yield each verdict.

    Each implementation has a process of its own. ``time_limit`` is the longest time in seconds that
    it may take for one answer. ``seed`` draws problems and places; by default it is new each time.
    """
    workloads.get(workload)  # a missing workload is reported once, before any child process starts
    if seed is None:
        seed = secrets.randbits(32)
    with ExitStack() as stack:
        free: SimpleQueue[Nurseries] = SimpleQueue()
        cpus = processes.available_cpus()[-_AT_ONCE:]
        for number, cpu in enumerate(cpus):
            nurseries = stack.enter_context(Nurseries(workload, 1, [cpu]))
            for reference in references[number : number + 1]:
                with suppress(ImplementationError):  # its verdict will say what is wrong
                    nurseries.start(reference)
            free.put(nurseries)
        # Meanwhile, and once: threads that need the same answers would each compute them.
        for problem in problems(workloads.get(workload), seed):
            problem.nearly  # noqa: B018 (it is kept, and so are the answers that it is made from)

        def check(reference: str) -> Verdict:
            nurseries = free.get()
            try:
                return verify_in(nurseries, reference, time_limit, seed)
            finally:
                free.put(nurseries)

        pool = ThreadPoolExecutor(len(cpus))
        try:
            yield from pool.map(check, references)
        finally:
            # Whoever leaves early, as with Ctrl-C, waits for nobody: with its nursery a check ends.
            pool.shutdown(wait=False, cancel_futures=True)
            stack.close()
            pool.shutdown()


def verify(
    reference: str,
    time_limit: float = TIME_LIMIT,
    workload: str = DEFAULT_WORKLOAD,
    seed: int | None = None,
) -> Verdict:
    """Check an implementation, given by name or path, in its own process."""
    (verdict,) = verify_all([reference], time_limit, workload, seed)
    return verdict


def verify_in(nurseries: Nurseries, reference: str, time_limit: float, seed: int) -> Verdict:
    """Check an implementation in a process from one of these nurseries."""
    try:
        description = implementations.describe(reference)
    except ImplementationError as error:  # an earlier contender may have deleted the file
        return Verdict(Path(reference).stem, "failed", str(error))
    if description.missing:
        return Verdict(description.name, "unavailable", description.missing)
    builtin = implementations.is_builtin(description.path)
    loaded_by = reference if builtin else str(description.path.resolve())
    try:
        with nurseries.contender(loaded_by, time_limit) as contender:
            return verify_loaded(contender, seed)
    except ContenderUnavailableError as error:
        return Verdict(description.name, "unavailable", str(error))
    except (ContenderFailedError, processes.ChildError) as error:
        return Verdict(description.name, "failed", str(error))


def verify_loaded(contender: Contender, seed: int = 0) -> Verdict:
    """Check a contender that has loaded its implementation."""
    name, checks, accuracy = contender.name, 0, Accuracy(0.0, 0.0)
    try:
        _check_thread_count(contender)
        for problem in _problems_for(contender, seed):
            accuracy = accuracy.worse(behaviour.check_problem(contender, problem))
            checks += 1
        for check in _behaviour_checks(contender):
            check()
            checks += 1
        contender.check_cpus()
    except WrongResultError as error:
        return Verdict(name, "rejected", str(error), checks, accuracy.share, seed)
    except ContenderFailedError as error:
        return Verdict(name, "failed", str(error), checks, accuracy.share, seed)
    return Verdict(name, "verified", "", checks, accuracy.share, seed)


def _problems_for(contender: Contender, seed: int) -> Iterator[Problem]:
    """All problems; of those that are drawn a part, where each shape has to be compiled anew."""
    drawn = 0
    for problem in problems(contender.workload, seed):
        drawn += problem.drawn
        if not (problem.drawn and contender.compiles and drawn % _PART_COMPILED):
            yield problem


def _check_thread_count(contender: Contender) -> None:
    """If a file defines ``thread_count``, it must return a number of threads."""
    if contender.thread_count is None:
        return
    (count,) = contender.thread_count
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise WrongResultError(
            f"thread_count() returned {count!r}: it has to be a whole number, 0 for unknown"
        )


def _behaviour_checks(contender: Contender) -> Iterator[Callable[[], None]]:
    """Yield each check with its arguments; those for the simplest faults come first."""
    for check in (
        behaviour.check_fresh,
        behaviour.check_networks_apart,
        behaviour.check_batches,
    ):
        for dtype in DTYPES:
            yield partial(check, contender, dtype)
    for timed in (
        behaviour.check_finished,
        behaviour.check_not_asynchronous,
        behaviour.check_no_memory,
    ):
        yield partial(timed, contender)
    for dtype in DTYPES:
        yield partial(behaviour.check_outputs_stay, contender, dtype)
