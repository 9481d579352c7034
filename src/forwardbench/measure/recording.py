"""Records visits with pytest-benchmark: a session with one test for each cell."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench.measure import benchmark_file
from forwardbench.measure.entries import record_visits
from forwardbench.measure.environment import complete_machine_info
from forwardbench.measure.outcome import Outcome
from forwardbench.measure.timing import Judge
from forwardbench.records import Cell

_TEST = f"{benchmark_file.test_cell.__name__}["


class RecordPlugin:
    """A pytest plugin that makes one test of each cell, which records its visits."""

    def __init__(
        self, outcome: Outcome, judge: Judge, loaded: dict[str, Any], task: Mapping[str, Any]
    ) -> None:
        self._outcome, self._judge, self._loaded, self._task = outcome, judge, loaded, task
        self.cells = [Cell.from_json(item["cell"]) for item in task["cells"]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each cell that was timed."""
        metafunc.parametrize("number", list(self._outcome.visits), ids=lambda n: str(self.cells[n]))

    @pytest.fixture
    def record(self, benchmark: BenchmarkFixture) -> Callable[[int], None]:
        """Records the visits to a cell, given by its number."""

        def record(number: int) -> None:
            cell = self.cells[number]
            record_visits(benchmark, cell, self._outcome.visits[number], self._judge)
            if number in self._outcome.rejected:
                benchmark.extra_info["rejected"] = self._outcome.rejected[number]

        return record

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_machine_info(self) -> dict[str, Any]:
        """Use the description of the machine from the start of the run, to save time."""
        return dict(self._task["machine"])

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Store the threads, BLAS and versions that this process really has."""
        complete_machine_info(machine_info, self._loaded)

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_commit_info(self) -> dict[str, Any]:
        """Return forwardbench's own commit, not that of the current folder."""
        commit: dict[str, Any] = self._task["commit"]
        return commit


def record(
    outcome: Outcome, judge: Judge, loaded: dict[str, Any], task: Mapping[str, Any]
) -> dict[str, Any]:
    """Return pytest-benchmark's JSON of all visits, and the reasons for what failed.

    ``loaded`` is what the contenders' processes have loaded; ``task`` is the worker's.
    """
    plugin = RecordPlugin(outcome, judge, loaded, task)
    with tempfile.TemporaryDirectory(prefix="forwardbench-") as folder:
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
    troubles = {"failures": outcome.failures, "rejected": outcome.rejected}
    return {
        "benchmark": benchmark,
        **{
            kind: {str(plugin.cells[number]): reason for number, reason in reasons.items()}
            for kind, reasons in troubles.items()
        },
    }


def _name_after_workload(benchmark: dict[str, Any]) -> None:
    """Name an entry after its workload, for pytest-benchmark's own commands."""
    workload = Cell.from_json(benchmark["extra_info"]["cell"]).workload
    for key in ("name", "fullname"):
        benchmark[key] = benchmark[key].replace(_TEST, f"test_{workload}[", 1)
