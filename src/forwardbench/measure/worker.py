"""A worker process: one pytest-benchmark session over some cells, in the order given."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forwardbench import isolation
from forwardbench.errors import describe_error
from forwardbench.measure import forward_cells
from forwardbench.measure.cells import Cell
from forwardbench.measure.machine import complete_machine_info

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTED, FINISHED = "started", "finished"
"""First word of a progress line; the cell's number in the task follows."""


class Plan:
    """A pytest plugin that supplies the cells and reports what becomes of each."""

    def __init__(self, link: isolation.Link) -> None:
        self._link = link
        self._numbers: dict[str, int] = {}
        self.failures: dict[str, str] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each cell."""
        cells = [Cell.from_json(item["cell"]) for item in self._link.task["cells"]]
        seconds = [item["seconds"] for item in self._link.task["cells"]]
        metafunc.parametrize(
            ("cell", "seconds"), zip(cells, seconds, strict=True), ids=map(str, cells)
        )

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember the cells' numbers."""
        self._numbers = {item.nodeid: number for number, item in enumerate(items)}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which cell is being measured, so that a crash can be laid at its door."""
        self._link.progress(f"{STARTED} {self._numbers[nodeid]}")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Say that a cell has been dealt with."""
        self._link.progress(f"{FINISHED} {self._numbers[nodeid]}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Keep what a contender raised, in one line."""
        if call.excinfo is not None:
            cell = item.callspec.params["cell"]  # type: ignore[attr-defined]
            self.failures[str(cell)] = describe_error(call.excinfo.value)
        return (yield)

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Store what this process really ran on."""
        complete_machine_info(machine_info)

    @pytest.hookimpl(tryfirst=True)
    def pytest_benchmark_generate_commit_info(self) -> dict[str, Any]:
        """Name forwardbench's own commit, not that of the folder a run was started in."""
        commit: dict[str, Any] = self._link.task["commit"]
        return commit


def main(link: isolation.Link) -> None:
    """Answer a task with pytest-benchmark's JSON and the cells that failed."""
    plan = Plan(link)
    with tempfile.TemporaryDirectory(prefix="forwardbench-") as folder:
        results = Path(folder) / "benchmark.json"
        # Neither a configuration file nor a plugin of the folder a run was started in counts.
        empty = Path(folder) / "pytest.ini"
        empty.write_text("[pytest]\n")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ.pop("PYTEST_ADDOPTS", None)
        pytest.main(
            [
                str(forward_cells.__file__),
                f"-c{empty}",
                f"--rootdir={folder}",
                "-ppytest_benchmark.plugin",
                "-pno:cacheprovider",
                "--benchmark-only",
                f"--benchmark-json={results}",
                "--quiet",
                "--no-header",
                "--no-summary",
            ],
            plugins=[plan],
        )
        benchmark = json.loads(results.read_text()) if results.exists() else None
    link.answer({"benchmark": benchmark, "failures": plan.failures})
