"""CSV, checked by pandas, which reads it."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.exports import FORMATS, write
from builders.names import TWO_NAMES, rename, with_fixtures
from builders.tables import make
from forwardbench.analysis.columns import COLUMNS
from forwardbench.errors import UserError, one_line
from forwardbench.outputs.text import as_csv, read_csv, write_text


def test_csv_has_the_columns_of_the_design_and_leaves_the_unknown_empty(make_bundle):
    """A row is what the design says, cell by cell; one pass has no interval."""
    text = write("csv", make_bundle({"matmul": {"4x4-4": [2e-6]}}))
    assert text == (
        "implementation,sweep,case,batch,widths,activation,dtype,threads,status,reason,passes,"
        "seconds,seconds_low,seconds_high,baseline,speedup,speedup_low,speedup_high,gflops,error,"
        "machine,commit,control_of,credible,host,workload\n"
        "matmul,square,4x4-4,4,4-4,sigmoid,float64,1,measured,,1,2e-06,,,python_loops,,,,0.064,"
        '1e-16,"Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test",0123456789,,True,,forward\n'
    )


@given(names=TWO_NAMES)
@with_fixtures
def test_csv_comes_back_equal_through_pandas(names, mixed):
    """Whatever the names are, as reading them leaves them, nothing of the table is lost."""
    renamed = rename(mixed, [one_line(name) for name in names])
    read = read_csv(write("csv", renamed))
    pd.testing.assert_frame_equal(read, renamed.table[COLUMNS], check_dtype=False, rtol=1e-14)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "-", "=cmd|' /C calc'!A0"]
FORMULAS += ["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"]  # full-width
PLAIN = ["", "'", "''", "'a", "a=1", "1-1", "'1", "(0.992x)"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_looks_like_a_formula_is_marked_as_text(text):
    """Also one that was marked before; numbers are left alone, negative ones too."""
    frame = pd.DataFrame({"reason": [text, f"'{text}"], "seconds": [-1.5, -2.0], "passes": [-1, 1]})
    assert as_csv(frame) == f"reason,seconds,passes\n'{text},-1.5,-1\n''{text},-2.0,1\n"


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_that_is_no_formula_stays_as_it_is(text):
    """A sign, an apostrophe or a bracket elsewhere is no reason to change a name."""
    written = as_csv(pd.DataFrame({"reason": [text], "seconds": [1.0]}))
    assert list(csv.reader(io.StringIO(written)))[1] == [text, "1.0"]


SIGNS = st.text(st.sampled_from("'=+-@ a\"1,"), max_size=5)


@given(texts=st.lists(SIGNS, min_size=1))
@example(texts=["=a", "'=a", "''=a", "'a"])
def test_marks_are_taken_off_again(texts):
    """Reading gives back every text, also one that begins with the mark itself."""
    frame = pd.DataFrame({"implementation": texts, "seconds": [-0.5] * len(texts)})
    pd.testing.assert_frame_equal(read_csv(as_csv(frame)), frame, check_dtype=False)


@pytest.mark.parametrize("name", [name for name in FORMATS if name.endswith("csv")])
def test_every_csv_marks_formulas(name):
    """Each of the exports writes a hostile name as text."""
    times = {"matmul": {"4x4-4": [2e-6] * 2}, "=1+1": {"4x4-4": [1e-6] * 2}}
    first_calls = {("=1+1", "4x4-4"): [0.5, 0.5]}
    bundle = make(times, baseline="matmul", first_calls=first_calls)
    written = list(csv.reader(io.StringIO(write(name, bundle))))
    assert {row[0] for row in written[1:]} - {"matmul"} == {"'=1+1"}
    assert set(read_csv(write(name, bundle))["implementation"]) - {"matmul"} == {"=1+1"}


def test_a_table_is_written_into_a_file_whole(mixed, tmp_path):
    """The file holds what the format is, and nothing else is left in its folder."""
    folder = tmp_path / "new"
    folder.mkdir()
    write_text(folder / "table.csv", write("csv", mixed))
    assert (folder / "table.csv").read_text() == write("csv", mixed)
    assert [path.name for path in folder.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("place", ["nowhere/table.csv", "file/table.csv", "folder", "."])
def test_a_table_that_cannot_be_written_is_said_in_one_line(place, mixed, tmp_path, monkeypatch):
    """No such folder, a file in its place, and a folder in place of the file."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"^cannot write {re.escape(place)}: [^\n]+$"):
        write_text(Path(place), write("csv", mixed))
