"""Reading results: what was written comes back, and what is torn is named in one line."""

import io
import json
import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from forwardbench import analysis, results, terminal
from forwardbench.errors import UserError


def test_a_run_folder_is_read(write_run, ladder):
    """Every sample of every pass is there, and every cell."""
    loaded = results.load(write_run(ladder))
    assert len(loaded.samples) == 3 * sum(len(row) for row in ladder.values())
    assert set(loaded.cells["status"]) == {"measured"}
    assert loaded.baseline == "python_loops"


def test_one_pass_is_a_run_of_one_pass(write_run, ladder):
    """A pytest-benchmark JSON alone is accepted; it has no intervals."""
    loaded = results.load(write_run(ladder) / "pass-002.json")
    table = analysis.summarize(loaded)
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
    table = analysis.summarize(results.load(folder))
    assert table.loc[0, "status"] == "rejected"
    assert table.loc[0, "reason"] == "worst at [0, 0]"
    assert math.isnan(table.loc[0, "seconds"])


def test_the_table_is_the_same_after_a_trip_through_csv(make_table, ladder, tmp_path):
    """What is not known is empty in the file, never 0."""
    skipped = {("python_loops", "1024x1024-1024"): (30.0, None, None)}
    table = make_table(ladder, skipped=skipped)
    results.write_table(table, tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_text()
    assert ",1024x1024-1024,1024,1024-1024,sigmoid,float64,1,estimated," in text
    back = pd.read_csv(tmp_path / "table.csv", keep_default_na=False, na_values={"speedup": [""]})
    assert list(back.columns) == list(table.columns)
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


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths_of(value, prefix=()):
    """Every place inside a JSON value."""
    yield prefix
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        yield from paths_of(inner, (*prefix, key))


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_files_end_in_a_table_or_in_one_line(data, write_run, tmp_path_factory):
    """Any value anywhere in a pass replaced by any other: a table, or one clear line."""
    folder = tmp_path_factory.getbasetemp() / "mutated"
    if not folder.exists():
        write_run({"matmul": {"4x4-4": [1.0]}}, name="mutated").rename(folder)
    name = data.draw(st.sampled_from(["pass-001.json", "run.json"]))
    original = json.loads((folder / name).read_text())
    mutated = json.loads(json.dumps(original))
    *parents, last = data.draw(st.sampled_from([p for p in paths_of(mutated) if p]))
    place = mutated
    for key in parents:
        place = place[key]
    place[last] = data.draw(json_values)
    other = tmp_path_factory.mktemp("run")
    for file in folder.glob("*.json"):
        (other / file.name).write_text(
            json.dumps(mutated) if file.name == name else file.read_text()
        )
    shown = io.StringIO()
    try:
        terminal.print_cells(analysis.summarize(results.load(other)), Console(file=shown))
    except UserError as error:
        shown.write(str(error).replace("\n", "two lines"))
    assert shown.getvalue()
    assert "two lines" not in shown.getvalue()
