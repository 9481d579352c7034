"""A run's folder, and passes that nobody measured."""

import pytest

from builders.requests import REQUEST, VERIFIED, made_up_pass, planned
from forwardbench.measure import plan, session
from forwardbench.measure.run_folder import claim_folder


@pytest.fixture
def claimed(tmp_path):
    """Make a folder with a plan of two cells of matmul."""
    folder = claim_folder(tmp_path / "run", REQUEST)
    folder.record_plan(VERIFIED, plan.Plan(planned("matmul")))
    return folder


@pytest.fixture
def invented(monkeypatch):
    """Replace measuring: note each pass's cells, and let times come from a function."""
    noted = {}

    def replace_with(times):
        def run_pass(cells, seed, *rest):
            noted[seed] = [str(each.cell) for each in cells]
            return made_up_pass(cells, lambda cell: times(cell, len(noted)))

        monkeypatch.setattr(session, "run_pass", run_pass)
        return noted

    return replace_with
