"""Verification: only implementations with correct results are timed.

Every implementation is checked on every case family, for its results and for its behaviour. The
checks run in child processes, and each implementation gets a verdict.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from forwardbench import implementations, processes, workloads
from forwardbench.cases import DTYPES
from forwardbench.errors import describe_error
from forwardbench.implementations import Implementation, ImplementationError, MissingExtraError
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.verification import behaviour
from forwardbench.verification.case_families import problems
from forwardbench.verification.check import WrongResultError

TIME_LIMIT = 60.0
"""A contender that finishes no check for so many seconds counts as hanging."""


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


def verify_all(
    references: Sequence[str], time_limit: float = TIME_LIMIT, workload: str = DEFAULT_WORKLOAD
) -> Iterator[Verdict]:
    """Check several implementations and yield each verdict.

    The suite's own rungs that need no framework share a process, so that it starts and computes
    the reference only once. Every other implementation gets its own process.
    """
    workloads.get(workload)  # a missing workload is reported once, before any child process starts
    sharing = [
        reference
        for reference in references
        if reference in implementations.names() and not implementations.describe(reference).requires
    ]
    yield from verify_together(sharing, time_limit, workload)
    for reference in references:
        if reference not in sharing:
            yield verify(reference, time_limit, workload)


def verify_together(
    references: Sequence[str], time_limit: float = TIME_LIMIT, workload: str = DEFAULT_WORKLOAD
) -> Iterator[Verdict]:
    """Check implementations that do not disturb each other in one process.

    If one of them ends that process, each is checked again in its own process.
    """
    try:
        verdicts = _verify_in_child(references, time_limit, workload)
    except processes.ChildError:
        verdicts = [verify(reference, time_limit, workload) for reference in references]
    yield from verdicts


def verify(
    reference: str, time_limit: float = TIME_LIMIT, workload: str = DEFAULT_WORKLOAD
) -> Verdict:
    """Check an implementation, given by name or path, in its own process.

    ``time_limit`` is the longest time in seconds that a single check may take.
    """
    try:
        description = implementations.describe(reference)
    except ImplementationError as error:  # an earlier contender may have deleted the file
        return Verdict(Path(reference).stem, "failed", str(error))
    if description.missing:
        return Verdict(description.name, "unavailable", description.missing)
    try:
        (verdict,) = _verify_in_child([str(description.path.resolve())], time_limit, workload)
    except processes.ChildError as error:
        return Verdict(description.name, "failed", str(error))
    return verdict


def _verify_in_child(references: Sequence[str], time_limit: float, workload: str) -> list[Verdict]:
    if not references:
        return []
    task = {"references": list(references), "workload": workload}
    answers = processes.call(
        "forwardbench.verification.verify",
        task,
        stall_seconds=time_limit,
        # The same threads and CPUs as when it is timed. On a second CPU, work that forward did
        # not wait for could be finished before its result is read.
        environment=processes.thread_environment(1),
        cpus=processes.cpus_for(1),
    )
    return [Verdict(**answer) for answer in answers]


def verify_loaded(
    implementation: Implementation,
    *,
    on_check: Callable[[str], None] = lambda line: None,
    timer: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """Check an implementation in this process; `verify` uses a child process, which is safer."""
    name, checks, share = implementation.name, 0, 0.0
    try:
        _check_thread_count(implementation)
        for problem in problems(implementation.workload):
            share = max(share, behaviour.check_problem(implementation, problem))
            checks += 1
            on_check(str(problem.case))
        for check in _behaviour_checks(implementation, timer):
            check()
            checks += 1
            on_check("behaviour")
    except WrongResultError as error:
        return Verdict(name, "rejected", str(error), checks, share)
    except Exception as error:  # a contender may raise anything
        return Verdict(name, "failed", f"raised {describe_error(error)}", checks, share)
    return Verdict(name, "verified", "", checks, share)


def _check_thread_count(implementation: Implementation) -> None:
    """If a file defines ``thread_count``, it must return a number of threads."""
    if implementation.thread_count is None:
        return
    count = implementation.thread_count()
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise WrongResultError(
            f"thread_count() returned {count!r}: it has to be a whole number, 0 for unknown"
        )


def _behaviour_checks(
    implementation: Implementation, timer: Callable[[], float]
) -> Iterator[Callable[[], None]]:
    """Yield each check with its arguments; those for the simplest faults come first."""
    for check in (
        behaviour.check_fresh,
        behaviour.check_networks_apart,
        behaviour.check_batches,
    ):
        for dtype in DTYPES:
            yield partial(check, implementation, dtype)
    for timed in (
        behaviour.check_finished,
        behaviour.check_not_asynchronous,
        behaviour.check_no_memory,
    ):
        yield partial(timed, implementation, timer)
    for dtype in DTYPES:
        yield partial(behaviour.check_outputs_stay, implementation, dtype)


def main(link: processes.Link) -> None:
    """Answer a child process's task: load implementations and check them."""
    warnings.simplefilter("ignore")  # only a contender's results are judged, not its warnings
    link.answer(
        [asdict(_load_and_verify(reference, link)) for reference in link.task["references"]]
    )


def _load_and_verify(reference: str, link: processes.Link) -> Verdict:
    name = implementations.describe(reference).name
    try:
        implementation = implementations.load(reference, link.task["workload"])
    except MissingExtraError as error:
        return Verdict(name, "unavailable", str(error))
    except ImplementationError as error:
        return Verdict(name, "failed", str(error))
    return verify_loaded(implementation, on_check=link.progress)
