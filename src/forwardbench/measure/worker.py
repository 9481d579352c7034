"""A worker process: one pytest-benchmark session that makes the visits to some cells in order.

It judges and never loads a contender's code, which runs in processes of its own.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_benchmark.stats import Stats

from forwardbench import processes
from forwardbench.errors import describe_error
from forwardbench.measure import benchmark_file
from forwardbench.measure.environment import complete_machine_info
from forwardbench.measure.timing import Judge
from forwardbench.records import Cell
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import ContenderFailedError
from forwardbench.verification.verify import Nurseries

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEST = f"{benchmark_file.test_visit.__name__}["
STARTED, FINISHED = "started", "finished"
"""First word of a progress line; the number of the cell in the task follows."""


class VisitPlugin:
    """A pytest plugin that makes one test of each visit and reports its progress."""

    def __init__(self, link: processes.Link, nurseries: Nurseries) -> None:
        self._link = link
        self._nurseries = nurseries
        limit = float(link.task["time_limit"])
        self._judge = Judge(lambda cell: nurseries.contender(cell.reference, limit))
        self._judge.spare_seconds = float(link.task["spare_seconds"])
        self._cells = [Cell.from_json(item["cell"]) for item in link.task["cells"]]
        self._seconds = [float(item["seconds"]) for item in link.task["cells"]]
        self._visits: list[int] = link.task["visits"]
        """The number of the cell that each visit goes to."""
        self._numbers: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        self.rejected: dict[str, str] = {}
        """Why a result was wrong, or why a time cannot be believed."""

    @pytest.fixture(scope="session")
    def judge(self) -> Iterator[Judge]:
        """Times and judges all cells of this worker."""
        yield self._judge
        self._judge.close()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each visit."""
        arguments, names = [], []
        left = {number: self._visits.count(number) for number in set(self._visits)}
        for visit, number in enumerate(self._visits):
            left[number] -= 1
            arguments.append((self._cells[number], self._seconds[number], left[number] == 0))
            first = number not in self._visits[:visit]
            names.append(str(self._cells[number]) + ("" if first else f" again {visit}"))
        metafunc.parametrize(("cell", "seconds", "last"), arguments, ids=names)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which cell each test visits."""
        self._numbers = {
            item.nodeid: number for item, number in zip(items, self._visits, strict=True)
        }

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Report which cell is being visited, so that a crash can be assigned to it."""
        self._link.progress(f"{STARTED} {self._numbers[nodeid]}")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Report that a visit has ended."""
        self._link.progress(f"{FINISHED} {self._numbers[nodeid]}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Store an exception of a contender, in one line."""
        if call.excinfo is not None:
            cell, error = item.callspec.params["cell"], call.excinfo.value  # type: ignore[attr-defined]
            if isinstance(error, WrongResultError):
                self.rejected[str(cell)] = str(error)
            else:
                ours = isinstance(error, ContenderFailedError)
                self.failures[str(cell)] = str(error) if ours else describe_error(error)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_machine_info(self) -> dict[str, Any]:
        """Use the description of the machine from the start of the run, to save time."""
        return dict(self._link.task["machine"])

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Store the threads, BLAS and versions that this process really has."""
        complete_machine_info(machine_info, self._nurseries.described())

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
        plugin = VisitPlugin(link, nurseries)
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
    if benchmark is not None:
        for entry in benchmark["benchmarks"]:
            _name_after_workload(entry)
        benchmark["benchmarks"] = join_visits(
            benchmark["benchmarks"], plugin.failures, plugin.rejected
        )
    link.answer({"benchmark": benchmark, "failures": plugin.failures, "rejected": plugin.rejected})


def _name_after_workload(benchmark: dict[str, Any]) -> None:
    """Name an entry after its workload, for pytest-benchmark's own commands."""
    workload = Cell.from_json(benchmark["extra_info"]["cell"]).workload
    for key in ("name", "fullname"):
        benchmark[key] = benchmark[key].replace(_TEST, f"test_{workload}[", 1)


def join_visits(
    benchmarks: list[dict[str, Any]], failures: dict[str, str], rejected: dict[str, str]
) -> list[dict[str, Any]]:
    """Join all visits to a cell into one entry: the first, with the rounds of all.

    A cell with impossible times is added to the failures. The entry of a rejected one says so.
    """
    joined: dict[Cell, dict[str, Any]] = {}
    for benchmark in benchmarks:
        info = benchmark["extra_info"]
        first = joined.setdefault(Cell.from_json(info["cell"]), benchmark)
        if first is benchmark:
            continue
        first["stats"]["data"] += benchmark["stats"]["data"]
        for name in ("warming_seconds", "timed_seconds", "timed_cpu_seconds"):
            info[name] += first["extra_info"][name]
        info["lost"] = max(info["lost"], first["extra_info"]["lost"])
        first["extra_info"].update(info)  # the last visit brings the error
    for cell, benchmark in list(joined.items()):
        if not all(0 < seconds < math.inf for seconds in benchmark["stats"]["data"]):
            failures[str(cell)] = "was timed at 0 s or less, which is impossible"
            del joined[cell]
            continue
        if str(cell) in rejected:
            benchmark["extra_info"]["rejected"] = rejected[str(cell)]
        stats = Stats()  # type: ignore[no-untyped-call]
        stats.data = benchmark["stats"]["data"]
        benchmark["stats"].update(stats.as_dict())  # type: ignore[no-untyped-call]
        # Only the worker needs to know which visit was the last; extra_info holds the rest.
        for words in (benchmark["params"], benchmark["extra_info"]):
            words.pop("last", None)
    return list(joined.values())
