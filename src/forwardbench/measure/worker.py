"""A worker process: it makes the visits to some cells in order, and pytest-benchmark records them.

It judges and never loads a contender's code, which runs in processes of its own.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench import processes
from forwardbench.measure import benchmark_file
from forwardbench.measure.environment import complete_machine_info
from forwardbench.measure.timing import Judge, Visit, record_visits
from forwardbench.records import Cell
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import ContenderFailedError, ContenderUnavailableError
from forwardbench.verification.verify import Nurseries

_TEST = f"{benchmark_file.test_cell.__name__}["
STARTED, FINISHED = "started", "finished"
"""First word of a progress line; the number of the cell in the task follows."""


@dataclass
class Outcome:
    """What came of a worker's visits, by the number of the cell in the task."""

    visits: dict[int, list[Visit]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    """Why a result was wrong, or why a time cannot be believed."""


def make_visits(link: processes.Link, judge: Judge) -> Outcome:
    """Make the visits of a task in its order; a cell that fails is not visited again."""
    cells = [Cell.from_json(item["cell"]) for item in link.task["cells"]]
    seconds = [float(item["seconds"]) for item in link.task["cells"]]
    left = Counter(link.task["visits"])
    outcome = Outcome()
    for number in link.task["visits"]:
        left[number] -= 1
        link.progress(f"{STARTED} {number}")
        if number not in outcome.failures and number not in outcome.rejected:
            try:
                visit = judge.visit(cells[number], seconds[number], last=left[number] == 0)
                outcome.visits.setdefault(number, []).append(visit)
            except WrongResultError as error:
                outcome.rejected[number] = str(error)
            except (ContenderFailedError, ContenderUnavailableError, processes.ChildError) as error:
                outcome.failures[number] = str(error)
        link.progress(f"{FINISHED} {number}")
    judge.close()
    return outcome


class RecordPlugin:
    """A pytest plugin that makes one test of each cell, which records its visits."""

    def __init__(self, link: processes.Link, judge: Judge, nurseries: Nurseries) -> None:
        self._link, self._judge = link, judge
        self._outcome = make_visits(link, judge)
        self._loaded = nurseries.described()
        self._cells = [Cell.from_json(item["cell"]) for item in link.task["cells"]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each cell that was timed."""
        metafunc.parametrize(
            "number", list(self._outcome.visits), ids=lambda n: str(self._cells[n])
        )

    @pytest.fixture
    def record(self, benchmark: BenchmarkFixture) -> Callable[[int], None]:
        """Records the visits to a cell, given by its number."""

        def record(number: int) -> None:
            cell = self._cells[number]
            record_visits(benchmark, cell, self._outcome.visits[number], self._judge)
            if number in self._outcome.rejected:
                benchmark.extra_info["rejected"] = self._outcome.rejected[number]

        return record

    def answer(self, benchmark: dict[str, Any] | None) -> dict[str, Any]:
        """The answer to the task, with pytest-benchmark's JSON."""
        troubles = {"failures": self._outcome.failures, "rejected": self._outcome.rejected}
        return {
            "benchmark": benchmark,
            **{
                name: {str(self._cells[number]): reason for number, reason in reasons.items()}
                for name, reasons in troubles.items()
            },
        }

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_machine_info(self) -> dict[str, Any]:
        """Use the description of the machine from the start of the run, to save time."""
        return dict(self._link.task["machine"])

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Store the threads, BLAS and versions that this process really has."""
        complete_machine_info(machine_info, self._loaded)

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_commit_info(self) -> dict[str, Any]:
        """Return forwardbench's own commit, not that of the current folder."""
        commit: dict[str, Any] = self._link.task["commit"]
        return commit


def main(link: processes.Link) -> None:
    """Answer a task with pytest-benchmark's JSON and the cells that failed."""
    first = Cell.from_json(link.task["cells"][0]["cell"])
    with (
        tempfile.TemporaryDirectory(prefix="forwardbench-") as folder,
        Nurseries(first.workload, first.threads, link.task["cpus"]) as nurseries,
    ):
        limit = float(link.task["time_limit"])
        judge = Judge(lambda cell: nurseries.contender(cell.reference, limit))
        judge.spare_seconds = float(link.task["spare_seconds"])
        plugin = RecordPlugin(link, judge, nurseries)
        results = Path(folder) / "benchmark.json"
        # Configuration files and plugins in the current folder must have no effect.
        empty = Path(folder) / "pytest.ini"
        empty.write_text("[pytest]\n")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        pytest.main(
            [
                str(benchmark_file.__file__),
                f"-c{empty}",
                f"--rootdir={folder}",
                "--noconftest",
                "-ppytest_benchmark.plugin",
                "-pno:cacheprovider",
                "-pno:unraisableexception",  # it collects garbage five times at the end
                "--benchmark-only",
                f"--benchmark-json={results}",
                "--quiet",
                "--no-header",
                "--no-summary",
            ],
            plugins=[plugin],
        )
        benchmark = json.loads(results.read_text()) if results.exists() else None
    for entry in (benchmark or {"benchmarks": []})["benchmarks"]:
        _name_after_workload(entry)
    link.answer(plugin.answer(benchmark))


def _name_after_workload(benchmark: dict[str, Any]) -> None:
    """Name an entry after its workload, for pytest-benchmark's own commands."""
    workload = Cell.from_json(benchmark["extra_info"]["cell"]).workload
    for key in ("name", "fullname"):
        benchmark[key] = benchmark[key].replace(_TEST, f"test_{workload}[", 1)
