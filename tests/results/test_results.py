"""Reading results: what was written comes back, and what is torn is named in one line."""

import io
import json
import math
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from forwardbench import results
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.table import summarize
from forwardbench.commands.shared import terminal
from forwardbench.errors import UserError
from forwardbench.files import reporting_bad_contents
from forwardbench.outputs import bundle
from forwardbench.records import Cell
from forwardbench.statistics.intervals import EARLY_STOP_LEVEL


def test_a_run_folder_is_read(write_run, ladder):
    """Every sample of every pass is there, and every cell."""
    loaded = results.load(write_run(ladder))
    assert len(loaded.samples) == 3 * sum(len(row) for row in ladder.values())
    assert set(loaded.cells["status"]) == {"measured"}
    assert loaded.baseline == "python_loops"


def test_one_pass_is_a_run_of_one_pass(write_run, ladder):
    """A pytest-benchmark JSON alone is accepted; it has no intervals."""
    loaded = results.load(write_run(ladder) / "pass-002.json")
    table = summarize(loaded)
    assert set(table["passes"]) == {1}
    assert table["seconds_low"].isna().all()
    assert not table["seconds"].isna().any()


def test_benchmarks_of_other_projects_are_passed_over(write_run, ladder):
    """A JSON may hold more than ours."""
    path = write_run(ladder) / "pass-001.json"
    document = json.loads(path.read_text())
    count = len(document["benchmarks"])
    document["benchmarks"].append({"name": "theirs", "extra_info": {}, "stats": {}})
    path.write_text(json.dumps(document))
    assert len(results.load(path).cells) == count


def test_a_cell_that_no_pass_measured_is_skipped_with_the_reason(write_run):
    """A run that was interrupted says so of each cell it did not get to."""
    folder = write_run({"matmul": {"4x4-4": [1.0, 1.0], "1x1-1": [None, None]}})
    cells = results.load(folder).cells.set_index("case")
    assert cells.loc["1x1-1", "status"] == "skipped"
    assert cells.loc["1x1-1", "reason"] == "the run ended before it was measured"


def test_a_rejected_time_is_not_a_time(write_run):
    """A result found wrong after timing keeps its reason and loses its time."""
    folder = write_run({"matmul": {"4x4-4": [1.0]}})
    path = folder / "pass-001.json"
    document = json.loads(path.read_text())
    document["benchmarks"][0]["extra_info"]["rejected"] = "worst at [0, 0]"
    path.write_text(json.dumps(document))
    table = summarize(results.load(folder))
    assert table.loc[0, "status"] == "rejected"
    assert table.loc[0, "reason"] == "worst at [0, 0]"
    assert math.isnan(table["seconds"][0])


@pytest.mark.parametrize("rejected", [False, True])
def test_what_is_rejected_in_one_of_its_two_measurements_has_no_figure(write_run, rejected):
    """The cell and its control are the same code, so neither can be believed then."""
    folder = write_run(
        {"matmul": {"4x4-4": [1.0], "1x1-1": [1.0]}, "matmul (control)": {"4x4-4": [1.0]}}
    )
    path = folder / "pass-001.json"
    document = json.loads(path.read_text())
    for benchmark in document["benchmarks"]:
        measured = Cell.from_json(benchmark["extra_info"]["cell"])
        if str(measured.case) == "4x4-4" and measured.control is rejected:
            benchmark["extra_info"]["rejected"] = "worst at [0, 0]"
    path.write_text(json.dumps(document))
    cells = results.load(folder).cells
    found = sorted(zip(cells["case"], cells["status"], strict=True))
    assert found == [("1x1-1", "measured"), ("4x4-4", "rejected"), ("4x4-4", "rejected")]


def test_the_table_is_the_same_after_a_trip_through_csv(make_table, ladder, tmp_path):
    """What is not known is empty in the file, never 0."""
    skipped = {("python_loops", "1024x1024-1024"): (30.0, None, None)}
    table = make_table(ladder, skipped=skipped)
    table[COLUMNS].to_csv(tmp_path / "table.csv", index=False)
    text = (tmp_path / "table.csv").read_text()
    assert ",1024x1024-1024,1024,1024-1024,sigmoid,float64,1,estimated," in text
    back = pd.read_csv(tmp_path / "table.csv", keep_default_na=False, na_values={"speedup": [""]})
    assert list(back.columns) == COLUMNS
    assert back["speedup"].tolist() == pytest.approx(table["speedup"].tolist(), nan_ok=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is torn or is not JSON"),
        ('{"benchmarks": [', "is torn or is not JSON"),
        ("[" * 100_000, "is torn or is not JSON"),
        ("[]", "is not of a form that forwardbench writes"),
        ("null", "is not of a form"),
        ("{}", "is not of a form"),
        ('{"benchmarks": []}', "holds no results of forwardbench"),
        ('{"benchmarks": [{"extra_info": {"cell": {}}}]}', "is not of a form"),
        ('{"benchmarks": {"extra_info": 1}}', "is not of a form"),
    ],
)
def test_a_torn_or_foreign_file_is_named_in_one_line(tmp_path, content, message):
    """No traceback: the file, what is wrong with it, what to do."""
    path = tmp_path / "pass.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        results.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan, math.inf, "fast", None, [1]])
def test_impossible_times_are_refused(write_run, seconds):
    """A time that is not a positive number is a malformed file, not a data point."""
    path = write_run({"matmul": {"4x4-4": [1.0]}}) / "pass-001.json"
    document = json.loads(path.read_text())
    document["benchmarks"][0]["stats"]["median"] = seconds
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="is not of a form"):
        results.load(path)


def test_what_is_not_there_is_said(tmp_path, write_run):
    """A missing path, an empty folder, a folder with no cell."""
    with pytest.raises(UserError, match="there are no results at"):
        results.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="is not a run: it holds no run.json"):
        results.load(tmp_path / "empty")
    with pytest.raises(UserError, match="measured nothing"):
        results.load(write_run({}))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("extra_info", "cell", "threads"), 0),
        (("extra_info", "cell", "threads"), 10**400),
        (("extra_info", "cell", "case", "batch"), 10**9),
        (("extra_info", "cell", "case", "widths"), [4, 0]),
        (("extra_info", "error"), -1.0),
        (("extra_info", "error"), math.inf),
        (("stats", "median"), 1e308),
        (("stats", "median"), 1e-300),
        (("stats", "median"), True),
        (("stats", "iterations"), 0),
    ],
)
def test_numbers_that_cannot_be_are_refused(write_run, place, value):
    """Every number is bounded where it is read, so that nothing later overflows."""
    path = write_run({"matmul": {"4x4-4": [1.0]}}) / "pass-001.json"
    document = json.loads(path.read_text())
    *parents, last = place
    entry = document["benchmarks"][0]
    for key in parents:
        entry = entry[key]
    entry[last] = value
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="is not of a form") as caught:
        results.load(path.parent)
    assert str(path) in str(caught.value)


def test_an_unknown_error_is_no_error(write_run):
    """An error that is null or NaN is not known; the time counts."""
    folder = write_run({"matmul": {"4x4-4": [1.0, 1.0]}})
    for name, error in (("pass-001.json", None), ("pass-002.json", math.nan)):
        document = json.loads((folder / name).read_text())
        document["benchmarks"][0]["extra_info"]["error"] = error
        (folder / name).write_text(json.dumps(document))
    table = summarize(results.load(folder))
    assert table["seconds"].tolist() == [1.0]
    assert table["error"].isna().all()


def test_one_cell_may_not_be_there_twice(write_run):
    """Two entries of one name, made by hand, would count as two passes."""
    folder = write_run({"matmul": {"4x4-4": [1.0]}, "other": {"4x4-4": [2.0]}})
    path = folder / "pass-001.json"
    document = json.loads(path.read_text())
    document["benchmarks"][1]["extra_info"]["cell"]["implementation"] = "matmul"
    path.write_text(json.dumps(document))
    named = "twice the same cell: matmul-square-4x4-4-sigmoid-float64-1"
    for source in (path, folder):
        with pytest.raises(UserError, match=rf"{named}(-1)?\)$"):
            results.load(source)


@pytest.mark.parametrize(
    ("estimate", "read"),
    [
        ([2.0, 1.0, 3.0], (2.0, 1.0, 3.0)),
        ([2.0, None, None], (2.0, math.nan, math.nan)),
        ([2.0, 0.0, math.inf], (2.0, math.nan, math.nan)),  # so wide that it says nothing
        ([None, None, None], (math.nan, math.nan, math.nan)),
        ([], (math.nan, math.nan, math.nan)),
    ],
)
def test_estimates_are_read(write_run, estimate, read):
    """A prediction comes with its interval, without one, or not at all."""
    skipped = {("python_loops", "4x4-4"): estimate}
    cells = results.load(write_run({"matmul": {"4x4-4": [1.0]}}, skipped=skipped)).cells
    row = cells[cells["implementation"] == "python_loops"].iloc[0]
    assert row[["predicted", "predicted_low", "predicted_high"]].tolist() == pytest.approx(
        list(read), nan_ok=True
    )


@pytest.mark.parametrize(
    "estimate", [[2.0, 2.5, 3.0], [2.0, 1.0, 1.5], [0, 0, 0], ["2", 1, 3], [-1]]
)
def test_estimates_that_cannot_be_are_refused(write_run, estimate):
    """An interval lies around its centre, which is a time."""
    skipped = {("python_loops", "4x4-4"): estimate}
    folder = write_run({"matmul": {"4x4-4": [1.0]}}, skipped=skipped)
    with pytest.raises(UserError, match=r"run\.json is not of a form"):
        results.load(folder)


def test_the_widest_intervals_are_still_numbers(write_run):
    """Passes that differ by all that is allowed give finite intervals, at either level."""
    times = {
        "python_loops": {"4x4-4": [1e-12, 1e9], "1x1-1": [1e9, 1e-12]},
        "matmul": {"4x4-4": [1e9, 1e-12], "1x1-1": [1e-12, 1e9]},
    }
    folder = write_run(times)
    document = json.loads((folder / "run.json").read_text())
    document["extended"] = ["so that intervals are computed at the higher level"]
    (folder / "run.json").write_text(json.dumps(document))
    loaded = results.load(folder)
    assert loaded.level == EARLY_STOP_LEVEL
    table = summarize(loaded)
    chosen = (table["implementation"] == "matmul") & (table["case"] == "4x4-4")
    (row,) = table[chosen].to_dict("records")
    assert row["speedup"] == pytest.approx(1.0)
    assert row["speedup_low"] == pytest.approx(1e-100)
    assert row["speedup_high"] == pytest.approx(1e100)


def test_an_estimate_that_says_nothing_has_no_interval(write_run):
    """Where the sizes that were measured fit no curve, the ends of a prediction are left out."""
    sizes = ("1x1-1", "2x2-2", "4x4-4", "8x8-8")
    wild = dict(zip(sizes, [[1e9], [1e-12], [1e9], [1e-12]], strict=True))
    skipped = {("matmul", "64x64-64"): (1.0, 0.5, 2.0)}
    table = summarize(results.load(write_run({"matmul": wild}, skipped=skipped)))
    estimated = table[table["status"] == "estimated"]
    assert estimated["seconds"].between(1e-12, 1e30).all()
    assert estimated[["seconds_low", "seconds_high"]].isna().all(axis=None)


def test_a_setting_with_controls_only_can_be_shown(write_run):
    """A file made by hand may have a control where its implementation is not."""
    whole = bundle.load(write_run({"matmul (control)": {"4x4-4": [1.0, 2.0]}}))
    shown = io.StringIO()
    terminal.print_summary(whole.table, whole.evidence, Console(file=shown))
    assert "Nothing was measured" in shown.getvalue()


def test_what_cannot_even_be_written_out_is_one_line(tmp_path):
    """Values may be nested so deep that naming them fails."""
    with (
        pytest.raises(UserError, match="is not of a form"),
        reporting_bad_contents(tmp_path / "a.json"),
    ):
        raise RecursionError


def test_a_fault_is_laid_at_the_right_file(write_run):
    """What a pass says of its machine is checked when that pass is read."""
    folder = write_run({"matmul": {"4x4-4": [1.0, 1.0]}})
    document = json.loads((folder / "pass-001.json").read_text())
    document["machine_info"]["memory_bytes"] = "plenty"
    (folder / "pass-001.json").write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"pass-001\.json is not of a form"):
        results.load(folder)


def test_what_is_known_of_a_run_is_in_words(write_run):
    """Machine, commit and request are facts by subject; what is not known is left out."""
    folder = write_run({"matmul": {"4x4-4": [1.0]}})
    document = json.loads((folder / "run.json").read_text())
    document["request"] |= {"limit": 0.5, "seed": 7}
    document["started"] = "2026-01-02T03:04:05"
    (folder / "run.json").write_text(json.dumps(document))
    origin = results.load(folder).origin
    assert (origin.tool, origin.hardware, origin.workload) == (
        "forwardbench", "Made-up CPU, 2 CPUs", "1",
    )  # fmt: skip
    assert origin.facts == {
        "CPU": "Made-up CPU, 2 CPUs",
        "BLAS": "OpenBLAS 0.3 Test",
        "commit": "0123456789",
        "started": "2026-01-02 03:04:05",
        "longest call worth measuring": "0.5 s",
        "seed of the order": "7",
    }


def test_frameworks_and_gpus_are_among_the_facts(write_run):
    """Their versions stand apart from those of what measures."""
    folder = write_run({"matmul": {"4x4-4": [1.0]}})
    path = folder / "pass-001.json"
    one = json.loads(path.read_text())
    one["machine_info"]["gpus"] = ["NVIDIA One", "NVIDIA Two"]
    one["machine_info"]["versions"] = {"numpy": "2.4", "torch": "2.13.0", "tensorflow": "2.21"}
    path.write_text(json.dumps(one))
    facts = results.load(folder).origin.facts
    assert facts["GPU"] == "NVIDIA One, NVIDIA Two"
    assert facts["packages"] == "numpy 2.4"
    assert facts["frameworks"] == "torch 2.13.0, tensorflow 2.21"


def test_a_run_has_one_commit_only(write_run):
    """Asking a run for a commit is a misunderstanding; a path with an @ in it is a path."""
    folder = write_run({"matmul": {"4x4-4": [1.0]}}, name="me@home")
    assert results.split_commit(folder) == (folder, "")
    assert results.split_commit(f"{folder}@1a2b") == (folder, "1a2b")
    assert results.split_commit("me@home/gone") == (Path("me@home/gone"), "")
    assert len(results.load_history(folder)) == 1
    with pytest.raises(UserError, match="has one commit only: leave out @1a2b"):
        results.load(f"{folder}@1a2b")
