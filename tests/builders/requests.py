"""A small run that several test files measure."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forwardbench.cases import Sweep, parse_case
from forwardbench.measure.passes import PassResult, PlannedCell
from forwardbench.measure.request import Request
from forwardbench.measure.run_options import RunOptions
from forwardbench.records import Cell
from forwardbench.verification.verify import Verdict

SMALL = Sweep("shapes", "cases given one by one", "", (parse_case("2x3-2"), parse_case("3x4-4-2")))
REQUEST = Request(
    {"python_loops": "python_loops", "matmul": "matmul"}, (SMALL,), "python_loops", passes=2, seed=3
)
VERIFIED = {name: Verdict(name, "verified") for name in REQUEST.contenders}


def planned(
    reference: str | Path, sweep: Sweep = SMALL, seconds: float = 1e-5, **options: Any
) -> list[PlannedCell]:
    """Cells of one implementation on every case of a sweep."""
    name = Path(reference).stem
    return [
        PlannedCell(Cell(name, str(reference), sweep.name, case, **options), seconds)
        for case in sweep.cases
    ]


def naming_again(*files: str | Path) -> RunOptions:
    """The options of a run that is resumed with these files of one's own."""
    return RunOptions.of(resume="x", implementations=[str(file) for file in files])


def made_up_pass(cells: Sequence[PlannedCell], times: Callable[[Cell], float]) -> PassResult:
    """Make the result of a pass without measuring: seconds by label and case."""
    return PassResult(
        {
            "benchmarks": [
                {
                    "extra_info": {"cell": each.cell.to_json(), "workload_version": 1},
                    "stats": {"median": times(each.cell), "iterations": 1},
                }
                for each in cells
            ]
        },
        {},
        {"seconds": 1.0, "others": 0, "stolen": 0, "busiest": "", "busiest_cpus": 0},
    )
