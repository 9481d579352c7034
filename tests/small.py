"""A small run that several test files measure."""

import os
from pathlib import Path

import pytest

from forwardbench import implementations
from forwardbench.cases import Sweep, parse_case
from forwardbench.implementations import requirements
from forwardbench.measure.passes import PlannedCell
from forwardbench.measure.request import Request
from forwardbench.records import Cell
from forwardbench.verification.verify import Verdict

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
ASV = ROOT / "results" / "asv" / "reference"
"""Committed results: asv's of one machine, since a developer's own may stand beside them."""
SMALL = Sweep("shapes", "cases given one by one", "", (parse_case("2x3-2"), parse_case("3x4-4-2")))
REQUEST = Request(
    {"python_loops": "python_loops", "matmul": "matmul"}, (SMALL,), "python_loops", passes=2, seed=3
)
VERIFIED = {name: Verdict(name, "verified") for name in REQUEST.contenders}


def planned(reference, sweep=SMALL, seconds=1e-5, **options):
    """Cells of one implementation on every case of a sweep."""
    name = Path(reference).stem
    return [
        PlannedCell(Cell(name, str(reference), sweep.name, case, **options), seconds)
        for case in sweep.cases
    ]


def skip_without(name):
    """Skip a test of a rung that cannot be used here; where `CI` is set, only for want of a GPU."""
    description = implementations.describe(name)
    if not description.missing:
        return
    if description.needs == requirements.GPU or not os.environ.get("CI"):
        pytest.skip(description.missing)
    pytest.fail(description.missing)
