"""A worker process: it makes the visits to some cells in order, and has them recorded.

It judges and never loads a contender's code, which runs in processes of its own. Each pass has its
own worker, forked from a process that has imported everything and has made the inputs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from forwardbench import processes, workloads
from forwardbench.measure.inputs import inputs_of
from forwardbench.measure.outcome import ANSWER, VISITED, Outcome
from forwardbench.measure.recording import record
from forwardbench.measure.timing import Judge
from forwardbench.processes.awake import kept_awake
from forwardbench.processes.channel import receive, send
from forwardbench.records import Cell
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import ContenderFailedError, ContenderUnavailableError
from forwardbench.verification.verify import Nurseries


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Make the inputs that workers need; ``task`` has the ``cells`` of a run."""
    for item in task["cells"]:
        cell = Cell.from_json(item)
        inputs_of(workloads.get(cell.workload), cell.case)
    return {}


def serve(connection: Connection, task: dict[str, Any]) -> None:
    """Do the work of one pass, which the first message holds, and answer."""
    work = receive(connection).values

    def tell(number: int) -> None:
        send(connection, {VISITED: number})

    send(connection, {ANSWER: do_work(work, tell)})
    receive(connection)  # until whoever asked has read everything and ends this process


def make_visits(work: dict[str, Any], judge: Judge, tell: Callable[[int], None]) -> Outcome:
    """Make the visits of a task in its order, and then those that have to be repeated.

    A cell that fails is not visited again. Each visit in the task's order is told.
    """
    cells = [Cell.from_json(item["cell"]) for item in work["cells"]]
    seconds = [float(item["seconds"]) for item in work["cells"]]
    left = Counter(work["visits"])
    outcome = Outcome()
    order = deque(work["visits"])
    while order:
        number = order.popleft()
        left[number] -= 1
        if number not in outcome.failures and number not in outcome.rejected:
            try:
                visit = judge.visit(
                    cells[number], seconds[number], last=left[number] <= 0,
                    following=cells[order[0]] if order else None,
                )  # fmt: skip
                outcome.visits.setdefault(number, []).append(visit)
                if visit.again:  # later, since what disturbs often lasts a while
                    order.append(number)
            except WrongResultError as error:
                outcome.rejected[number] = str(error)
            except (ContenderFailedError, ContenderUnavailableError, processes.ChildError) as error:
                outcome.failures[number] = str(error)
        if left[number] >= 0:
            tell(number)
    judge.close()
    return outcome


def do_work(work: dict[str, Any], tell: Callable[[int], None]) -> dict[str, Any]:
    """Return pytest-benchmark's JSON and the cells that failed."""
    first = Cell.from_json(work["cells"][0]["cell"])
    cpus = work["cpus"]
    with (
        kept_awake(cpus) as keepers,
        Nurseries(first.workload, first.threads, cpus) as nurseries,
    ):
        limit = float(work["time_limit"])
        judge = Judge(lambda cell: nurseries.begin(cell.reference, limit), keepers=keepers)
        judge.calm.spare_seconds = float(work["spare_seconds"])
        judge.calm.gauges += work["gauges"]
        outcome = make_visits(work, judge, tell)
        loaded = nurseries.described()
    left = {"spare_seconds": judge.calm.spare_seconds, "gauges": judge.calm.gauges}
    return {**record(outcome, judge, loaded, work), **left}
