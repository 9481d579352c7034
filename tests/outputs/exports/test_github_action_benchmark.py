"""Entries for github-action-benchmark, checked by the form that it documents."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.exports import write
from builders.names import NAMES, TWO_NAMES, read_strictly, rename, with_fixtures
from builders.tables import with_table
from forwardbench.errors import UserError
from forwardbench.outputs.tracked_cells import name_entry


def test_an_entry_of_the_action_has_exactly_these_values(make_bundle):
    """Microseconds, half the interval's width in the same unit, and what it means."""
    entries = json.loads(
        write(
            "github-action-benchmark",
            make_bundle({"python_loops": {"4x4-4": [8e-6] * 2}, "matmul": {"4x4-4": [2e-6] * 2}}),
        )
    )
    assert entries == [
        {
            "name": "python_loops/square/4x4-4/float64/1 thread",
            "unit": "us",
            "value": 8.0,
            "range": "± 0.0",
            "extra": "the baseline\npasses: 2",
        },
        {
            "name": "matmul/square/4x4-4/float64/1 thread",
            "unit": "us",
            "value": 2.0,
            "range": "± 0.0",
            "extra": "speedup over python_loops: 4.00x, 95 % interval 4.00 to 4.00\npasses: 2",
        },
    ]


def test_the_action_gets_credible_times_only(make_bundle):
    """No control, nothing estimated or failed, and nothing that beats the machine's peak."""
    peak = {"dtype": "float64", "threads": 1, "gflops": 1.0, "bytes_per_second": 1e12}
    whole = make_bundle(
        {
            "python_loops": {"64x64-64": [4e-3, 4e-3]},
            "python_loops (control)": {"64x64-64": [4e-3, 4e-3]},
            "too_good": {"64x64-64": [1e-9, 1e-9]},
            "broken": {"64x64-64": ["ValueError: no"]},
        },
        skipped={("slow", "64x64-64"): (9.0, 8.0, 10.0)},
        ceilings=[peak],
    )
    for name in ("github-action-benchmark", "pyperf"):
        text = write(name, whole)
        assert re.findall(r'"name": "(\w+)/', text) == ["python_loops"]


@pytest.mark.parametrize("name", ["github-action-benchmark", "pyperf"])
def test_nothing_measured_is_an_error_where_the_reader_takes_no_empty_list(name, make_bundle):
    """Both tools refuse a file without entries, so none is written."""
    whole = make_bundle({"matmul": {"4x4-4": ["ValueError: no"]}})
    with pytest.raises(UserError, match=f"no time to give to {name}, since no cell was measured"):
        write(name, whole)


def test_one_pass_has_no_range(make_bundle):
    """What is not known is left out, as the action allows."""
    (entry,) = json.loads(
        write("github-action-benchmark", make_bundle({"matmul": {"4x4-4": [2.5e-6]}}))
    )
    assert entry == {
        "name": "matmul/square/4x4-4/float64/1 thread",
        "unit": "us",
        "value": 2.5,
        "extra": "speedup over python_loops not known\npasses: 1",
    }


@given(
    names=TWO_NAMES,
    seconds=st.lists(
        st.floats(1e-9, 1e5, allow_nan=False, allow_subnormal=False), min_size=4, max_size=4
    ),
)
@with_fixtures
def test_entries_are_of_the_documented_form(names, seconds, mixed):
    """Texts and finite numbers by the documented keys; the action reads the range as a number."""
    low, high = min(seconds), max(seconds)
    times = {"seconds": seconds[0], "seconds_low": low, "seconds_high": high}
    renamed = rename(with_table(mixed, **times), names)
    entries = read_strictly(write("github-action-benchmark", renamed))
    assert len({entry["name"] for entry in entries}) == len(entries) == 4
    for entry in entries:
        assert set(entry) == {"name", "unit", "value", "range", "extra"}
        assert entry["value"] == pytest.approx(seconds[0] * 1e6, rel=1e-5)
        # This is how the action finds the number: `extractRangeInfo` of its source.
        number = re.search(r"(?P<prefix>(\+-|±)\s*)(?P<value>\d.+)", entry["range"])["value"]
        assert float(number) == pytest.approx((high - low) / 2 * 1e6, rel=1e-2)


def test_a_name_depends_on_its_cell_alone():
    """It is the same in every run, or the action would begin a new line in its chart."""
    row = {
        "implementation": "matmul", "sweep": "course", "case": "3x4-2", "activation": "linear",
        "dtype": "float32", "threads": 2, "host": "", "workload": "forward",
    }  # fmt: skip
    assert name_entry(row) == "matmul/course/3x4-2 linear/float32/2 threads"
    assert name_entry({**row, "workload": "toy"}) == (
        "toy/matmul/course/3x4-2 linear/float32/2 threads"
    )


CELLS = st.fixed_dictionaries(
    {
        "implementation": st.text("a/\\ \n2f;", max_size=6) | NAMES,
        "sweep": st.text("a/\\ \n2f;", max_size=6) | NAMES,
        "case": st.sampled_from(["1x1-1", "1x1-1-1"]),
        "activation": st.sampled_from(["sigmoid", "relu"]),
        "dtype": st.sampled_from(["float64", "float32"]),
        "threads": st.integers(1, 3),
        "host": st.just(""),
        "workload": st.sampled_from(["forward", "toy"]),
    }
)


def named(implementation, sweep):
    """A cell that differs from others in two names only."""
    rest = {"case": "1x1-1", "activation": "relu", "dtype": "float64", "threads": 1}
    place = {"host": "", "workload": "forward"}
    return {"implementation": implementation, "sweep": sweep, **rest, **place}


@given(one=CELLS, other=CELLS)
@example(one=named("a/b", "c"), other=named("a", "b/c"))
@example(one=named("/", ""), other=named("\\2f;", ""))
@example(one=named(" a", ""), other=named("a", ""))
@example(one=named("a\n", ""), other=named("a\r", ""))
def test_two_cells_never_share_a_name(one, other):
    """However the names of implementation and sweep are cut."""
    names = [name_entry(row) for row in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(name.isprintable() and name.strip() == name for name in names)
