"""Files from before a field was written still say what they said."""

import json

import pandas as pd
import pytest

from builders.places import ASV, REFERENCE, ROOT
from builders.tables import square
from forwardbench import results
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.table import summarize
from forwardbench.outputs import bundle
from forwardbench.results import asv

OLD_COLUMNS = [
    "implementation", "sweep", "case", "batch", "widths", "activation", "dtype", "threads",
    "status", "reason", "passes", "seconds", "seconds_low", "seconds_high", "baseline",
    "speedup", "speedup_low", "speedup_high", "gflops", "error", "machine", "commit",
]  # fmt: skip
NEW_COLUMNS = ["control_of", "credible", "host", "workload"]
RUNS = [REFERENCE, ROOT / "results" / "after-matmul"]
NEW_FIELDS = {"workload"}
"""What a cell did not say of itself."""


def without_new_fields(value):
    """A document as it was before cells had these fields."""
    if isinstance(value, dict):
        return {
            name: without_new_fields(each) for name, each in value.items() if name not in NEW_FIELDS
        }
    return [without_new_fields(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def old_run(write_run, ladder):
    """A run's folder whose cells say nothing of a workload, with a first call."""
    folder = write_run(ladder, skipped={("ndarray_loops", square(256)): (9.0, 8.0, 10.0)})
    cell = json.loads((folder / "run.json").read_text())["measured"][0]["cell"]
    sample = {"cell": cell, "import_seconds": 0.1, "seconds": 1.0}
    first_calls = {"samples": [sample], "failures": []}
    (folder / "first-calls.json").write_text(json.dumps(first_calls))
    for path in folder.glob("*.json"):
        text = path.read_text()
        assert '"workload"' in text
        path.write_text(json.dumps(without_new_fields(json.loads(text))))
    return folder


def test_new_columns_stand_behind_the_old_ones():
    """Whoever reads table.csv by place finds what was there where it was."""
    assert [*OLD_COLUMNS, *NEW_COLUMNS] == COLUMNS


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_a_committed_table_is_what_its_run_gives_today(folder):
    """Every column that it has, cell by cell; the run's own files are as old as it is."""
    assert '"workload"' not in (folder / "run.json").read_text()
    table = bundle.load(folder).table
    kept = pd.read_csv(folder / "table.csv", keep_default_na=False, na_values={"error": [""]})
    assert list(kept.columns) == list(COLUMNS[: len(kept.columns)])
    assert len(kept.columns) >= len(OLD_COLUMNS)
    for column in OLD_COLUMNS:
        today, then = table[column].tolist(), kept[column].tolist()
        if pd.api.types.is_numeric_dtype(table[column]):
            numbers = [float("nan") if each == "" else float(each) for each in then]
            assert numbers == pytest.approx(today, rel=1e-9, nan_ok=True), column
        else:
            assert then == today, column
    assert set(table["workload"]) == {"forward"}
    assert set(table["host"]) == {""}
    controls = table["implementation"].str.endswith(" (control)")
    assert (table.loc[controls, "control_of"] + " (control)").tolist() == (
        table.loc[controls, "implementation"].tolist()
    )
    assert set(table.loc[~controls, "control_of"]) == {""}
    measured = table["status"] == "measured"
    assert table.loc[measured, "credible"].all()
    assert table.loc[~measured, "credible"].isna().all()


def test_an_old_run_is_of_the_workload_that_there_was(old_run):
    """Cells, times and first calls are those of `forward`, and controls are still controls."""
    whole = bundle.load(old_run)
    for frame in (whole.results.cells, whole.results.samples, whole.results.first_calls):
        assert set(frame["workload"]) == {"forward"}
    named = whole.table.set_index("implementation")["control_of"]
    assert set(named["python_loops (control)"]) == {"python_loops"}
    assert set(named.drop("python_loops (control)")) == {""}
    assert len(whole.break_evens) == 1


def test_an_old_pass_alone_still_reads(old_run):
    """A pytest-benchmark file whose cells say nothing of a workload."""
    loaded = results.load(old_run / "pass-001.json")
    assert set(loaded.cells["workload"]) == set(loaded.samples["workload"]) == {"forward"}
    assert set(loaded.cells["control_of"]) == {"", "python_loops"}


def test_asv_knows_neither_workloads_nor_controls():
    """All that it timed is `forward`, on one machine."""
    table = bundle.load(ASV).table
    for column, value in {"workload": "forward", "control_of": "", "host": ""}.items():
        assert set(table[column]) == {value}
    assert table.loc[table["status"] == "measured", "credible"].all()


@pytest.mark.skipif(not ASV.exists(), reason="asv's results are not in the source archive")
def test_the_committed_results_of_asv_are_read():
    """Times that asv itself wrote: all of them, inside their intervals, oldest commit first."""
    history = results.load_history(ASV)
    dates = [each.origin.facts["date of the commit"] for each in history]
    assert dates == sorted(dates)
    assert results.load(ASV).commit == history[-1].commit
    for loaded in history:
        document = json.loads(
            next(ASV.glob(f"{loaded.commit[:8]}*.json")).read_text(encoding="utf-8")
        )
        values = document["results"][asv.BENCHMARK]
        row = dict(zip(document["result_columns"], values, strict=False))
        written = [each for each in row["result"] if each is not None and each == each]
        table = summarize(loaded)
        measured = table[table["status"] == "measured"]
        assert measured["seconds"].tolist() == written
        assert len(table) == len(row["result"])
        assert (measured["seconds_low"] <= measured["seconds"]).all()
        assert (measured["seconds"] <= measured["seconds_high"]).all()
        assert set(table["status"]) <= {"measured", "skipped", "failed"}
        assert loaded.origin.tool == "asv"
