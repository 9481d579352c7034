"""CSV, checked by pandas, which reads it."""

import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

from builders.exports import write
from builders.names import TWO_NAMES, rename, with_fixtures
from forwardbench.analysis.columns import COLUMNS
from forwardbench.errors import UserError, one_line
from forwardbench.outputs.text import write_text

TEXTS = [
    "implementation", "sweep", "case", "widths", "activation", "dtype", "status", "reason",
    "baseline", "machine", "commit", "control_of", "host", "workload",
]  # fmt: skip


def read_csv(text):
    """Read a table with pandas as its users do, who know which columns hold numbers."""
    texts: dict[str, Any] = dict.fromkeys(TEXTS, str)
    numbers = {name: [""] for name in COLUMNS if name not in texts}
    return pd.read_csv(
        io.StringIO(text),
        dtype={**texts, "credible": "boolean"},
        na_values=numbers,
        keep_default_na=False,
    )


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
