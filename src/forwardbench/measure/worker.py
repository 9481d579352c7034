"""A worker process: it makes the visits to some cells in order, and has them recorded.

It judges and never loads a contender's code, which runs in processes of its own.
"""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest

from forwardbench import processes
from forwardbench.measure.outcome import Outcome
from forwardbench.measure.timing import Judge
from forwardbench.processes.awake import kept_awake
from forwardbench.records import Cell
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import ContenderFailedError, ContenderUnavailableError
from forwardbench.verification.verify import Nurseries

STARTED, FINISHED = "started", "finished"
"""First word of a progress line; the number of the cell in the task follows."""


def make_visits(link: processes.Link, judge: Judge) -> Outcome:
    """Make the visits of a task in its order; a cell that fails is not visited again."""
    cells = [Cell.from_json(item["cell"]) for item in link.task["cells"]]
    seconds = [float(item["seconds"]) for item in link.task["cells"]]
    left = Counter(link.task["visits"])
    outcome = Outcome()
    order = link.task["visits"]
    for number, following in zip_longest(order, order[1:]):
        left[number] -= 1
        link.progress(f"{STARTED} {number}")
        if number not in outcome.failures and number not in outcome.rejected:
            try:
                visit = judge.visit(
                    cells[number], seconds[number], last=left[number] == 0,
                    following=None if following is None else cells[following],
                )  # fmt: skip
                outcome.visits.setdefault(number, []).append(visit)
            except WrongResultError as error:
                outcome.rejected[number] = str(error)
            except (ContenderFailedError, ContenderUnavailableError, processes.ChildError) as error:
                outcome.failures[number] = str(error)
        link.progress(f"{FINISHED} {number}")
    judge.close()
    return outcome


def main(link: processes.Link) -> None:
    """Answer a task with pytest-benchmark's JSON and the cells that failed."""
    first = Cell.from_json(link.task["cells"][0]["cell"])
    cpus = link.task["cpus"]
    with kept_awake(cpus), Nurseries(first.workload, first.threads, cpus) as nurseries:
        nurseries.start(first.reference)
        # Meanwhile: importing pytest takes as long as importing NumPy.
        from forwardbench.measure.recording import record

        limit = float(link.task["time_limit"])
        judge = Judge(lambda cell: nurseries.begin(cell.reference, limit))
        judge.spare_seconds = float(link.task["spare_seconds"])
        outcome = make_visits(link, judge)
        loaded = nurseries.described()
    link.answer(record(outcome, judge, loaded, link.task))
