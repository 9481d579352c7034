"""From Python: the table, the main job, and what a notebook shows of them."""

import inspect
import pickle
import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import forwardbench
from forwardbench.analysis.columns import COLUMNS
from forwardbench.errors import UserError


def test_loading_gives_the_pandas_table(write_run, ladder):
    """One row per cell with the columns of table.csv, and where it came from."""
    folder = write_run(ladder)
    table = forwardbench.load(folder)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == [*COLUMNS, "pass_seconds", "level"]
    assert table.attrs["path"] == str(folder)
    assert table.attrs["warnings"] == [
        "Only 3 passes, so little is known of how sure this is: measure again"
    ]


def test_another_baseline_may_be_asked_for(write_run, ladder):
    """And one that was not measured is refused with those that were."""
    folder = write_run(ladder)
    table = forwardbench.load(folder, baseline="matmul")
    assert set(table.loc[table["implementation"] == "python_loops", "baseline"]) == {"matmul"}
    with pytest.raises(UserError, match="no baseline 'torch' there: choose from "):
        forwardbench.load(folder, baseline="torch")


def test_it_shows_its_finding_its_chart_and_its_cells(write_run, ladder):
    """What a notebook displays is complete and needs nothing from outside."""
    page = forwardbench.load(write_run(ladder))._repr_html_()
    assert "matmul is 498 times faster than python_loops at 256x256-256" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert re.search(r'alt="Line chart of speedup by size in the sweep square', page)
    assert page.count("<tr>") == 1 + sum(len(row) for row in ladder.values())
    assert "Warning: Only 3 passes" in page


def test_names_stay_text_in_a_notebook(write_run):
    """A hostile name adds no tag."""
    name = "<script>alert(1)</script>"
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, name: {"4x4-4": [0.5, 0.5]}}
    tags = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            tags.append(tag)

    Parser().feed(forwardbench.load(write_run(times))._repr_html_())
    assert "script" not in tags


def test_parts_of_the_table_are_tables_too(write_run, ladder):
    """Filtered rows show themselves; other columns show as any DataFrame does."""
    table = forwardbench.load(write_run(ladder))
    assert "matmul is 498 times" in table[table["implementation"] != "ndarray_loops"]._repr_html_()
    assert "dataframe" in table[["case", "seconds"]]._repr_html_()
    assert "dataframe" in table.iloc[:0]._repr_html_()
    other = table.assign(commit="another")
    tables: tuple[Any, ...] = (
        pd.concat([table, table]), pd.concat([table, other]), table.explode("pass_seconds"),
        table.drop(columns="pass_seconds"), table.convert_dtypes(), table.assign(reason=None),
        table.groupby("implementation")[["seconds"]].mean(),
    )  # fmt: skip
    for strange in tables:
        assert "<table" in strange._repr_html_()
    again = pickle.loads(pickle.dumps(table))
    assert again["seconds"].equals(table["seconds"])


@pytest.mark.slow
def test_running_is_the_commands_job(tmp_path, capsys):
    """Verified, measured, charted and reported, into the folder that was asked for."""
    folder = tmp_path / "run"
    table = forwardbench.run(
        shapes=["2x3-2"], implementations=["matmul"], threads=[1], passes=2, output=folder
    )
    assert {"run.json", "pass-002.json", "table.csv", "report.html"} <= {
        path.name for path in folder.iterdir()
    }
    measured = table[table["status"] == "measured"]
    assert {"python_loops", "matmul"} <= set(measured["implementation"])
    assert table.attrs["path"] == str(folder)
    assert table.attrs["status"] == 0
    assert capsys.readouterr().out == ""


def test_run_says_what_it_takes():
    """Its signature and its help name every keyword, and what is no option is refused."""
    parameters = inspect.signature(forwardbench.run).parameters
    assert {"sweeps", "implementations", "workload", "max_time", "quick"} <= set(parameters)
    assert not {"resume", "scheduler", "given"} & set(parameters)
    said = forwardbench.run.__doc__ or ""
    for name in parameters:
        assert f"\n{name}: " in said
    for wrong in ("sweep", "resume", "given"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{wrong}'"):
            forwardbench.run(**{wrong: ["mlp"]})


def test_what_cannot_be_run_is_one_line(tmp_path):
    """A text for a list, a sweep that there is none of, threads that are no number."""
    with pytest.raises(UserError, match=r"sweeps is a list: write sweeps=\['mlp'\]"):
        forwardbench.run(sweeps="mlp")
    for asked in ({"threads": 2}, {"passes": 2.5}, {"limit": "a"}, {"passes": "3"}):
        with pytest.raises(UserError, match=next(iter(asked))):
            forwardbench.run(**asked)
    with pytest.raises(UserError, match="threads"):
        forwardbench.run(threads=[0], output=str(tmp_path / "y"))
    with pytest.raises(UserError, match="there is no sweep 'round'"):
        forwardbench.run(sweeps=["round"], output=str(tmp_path / "x"))
