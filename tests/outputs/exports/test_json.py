"""JSON, checked by a strict reader of the standard."""

import csv
import io

import pandas as pd
from hypothesis import given

from builders.exports import write
from builders.names import TWO_NAMES, read_strictly, rename, with_fixtures
from builders.tables import with_table
from forwardbench import __version__
from forwardbench.analysis.columns import COLUMNS


def test_json_says_where_it_is_from(mixed):
    """Format, versions, machine, commit and facts stand beside the rows."""
    document = read_strictly(write("json", mixed))
    assert len(document.pop("rows")) == len(mixed.table)
    assert document == {
        "format_version": 1,
        "forwardbench_version": __version__,
        "tool": "forwardbench",
        "machine": "Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test",
        "commit": "0123456789",
        "workload_version": "1",
        "facts": {
            "CPU": "Made-up CPU, 2 CPUs",
            "BLAS": "OpenBLAS 0.3 Test",
            "commit": "0123456789",
        },
        "first_calls": [],
    }


def test_json_has_null_for_what_is_not_known(mixed):
    """A pass without a time is null, like whatever CSV leaves empty."""
    rows = read_strictly(write("json", mixed))["rows"]
    (row,) = [r for r in rows if (r["implementation"], r["case"]) == ("matmul", "4x4-4")]
    assert row["pass_seconds"] == [1e-6, None, 1.1e-6]
    assert (row["reason"], row["passes"], row["batch"]) == (None, 2, 4)
    lines = list(csv.DictReader(io.StringIO(write("csv", mixed))))
    for row, line in zip(rows, lines, strict=True):
        assert {name for name in COLUMNS if row[name] is None} == {
            name for name in COLUMNS if line[name] == ""
        }


def test_json_stays_json_where_a_number_is_infinite(mixed):
    """An error beyond all numbers, which a file may claim, is written as not known."""
    text = write("json", with_table(mixed, error=float("inf")))
    assert {row["error"] for row in read_strictly(text)["rows"]} == {None}


@given(names=TWO_NAMES)
@with_fixtures
def test_json_comes_back_equal(names, mixed):
    """Whatever the names are, every value of every row comes back."""
    renamed = rename(mixed, names)
    rows = read_strictly(write("json", renamed))["rows"]
    for row, expected in zip(rows, renamed.table.to_dict("records"), strict=True):
        assert list(row) == [*COLUMNS, "pass_seconds"]
        for name in COLUMNS:
            known = not pd.isna(expected[name]) and expected[name] != ""
            assert row[name] == (expected[name] if known else None)
