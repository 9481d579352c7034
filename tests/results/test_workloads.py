"""Results of a workload that is not installed here, beside those of one that is."""

import csv
import io
import json

import pytest

from builders.charts import draw
from builders.exports import FORMATS, write
from builders.tables import joined, make_results, square
from forwardbench.analysis import comparison
from forwardbench.outputs import bundle, pictures, report
from forwardbench.outputs.bundle import Bundle, comparison_parts
from forwardbench.results import CELL_KEY


def times(factor):
    """Loops, and matmul so many times as fast, at two sizes."""
    cases = [square(4), square(16)]
    return {
        "python_loops": {case: [1e-3, 1.01e-3, 0.99e-3] for case in cases},
        "python_loops (control)": {case: [1e-3, 1.0e-3, 1.01e-3] for case in cases},
        "matmul": {case: [each / factor for each in (1e-3, 1.01e-3, 0.99e-3)] for case in cases},
    }


@pytest.fixture(scope="module")
def both():
    """The same cells of two workloads: matmul is twice as fast in one, five times in the other."""
    firsts = {("compiled", square(4)): [1.0, 1.1]}
    forward = make_results(times(2))
    return Bundle(joined(forward, make_results(times(5), workload="toy", first_calls=firsts)))


def test_cells_of_two_workloads_are_kept_apart(both):
    """Each has the ratio to the baseline of its own workload."""
    matmul = both.table[both.table["implementation"] == "matmul"]
    assert matmul.groupby("workload")["speedup"].unique().map(list).to_dict() == {
        "forward": pytest.approx([2.0]),
        "toy": pytest.approx([5.0]),
    }
    assert not both.table.duplicated(CELL_KEY).any()
    assert both.table.duplicated(CELL_KEY[:-1]).sum() == 6


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_every_export_can_be_written_of_them(name, both):
    """Without an error, and with every cell of both that it is meant to have."""
    text = write(name, both)
    assert text.endswith("\n")
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["workload"] for row in rows] == ["forward"] * 6 + ["toy"] * 6
    if name == "samples-csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["workload"] for row in rows] == ["forward"] * 18 + ["toy"] * 18
    if name == "json":
        assert {row["workload"] for row in json.loads(text)["rows"]} == {"forward", "toy"}


@pytest.mark.parametrize("name", ["github-action-benchmark", "pyperf"])
def test_other_tools_find_each_cell_by_a_name_of_its_own(name, both):
    """The workload stands in the name, but for the one that names never said."""
    document = json.loads(write(name, both))
    entries = document if isinstance(document, list) else document["benchmarks"]
    names = [entry["name"] if "name" in entry else entry["metadata"]["name"] for entry in entries]
    assert len(set(names)) == len(names) == 8
    assert sum(each.startswith("toy/") for each in names) == 4


@pytest.mark.slow
def test_charts_of_each_have_their_own_file(both, tmp_path):
    """A sweep of the same name is drawn for each, and one page holds both."""
    drawn = list(pictures.draw_all(both, ["speedup"]))
    files = [path.name for each in drawn for path in pictures.save(each, tmp_path, ["svg"])]
    assert files == ["speedup-square.svg", "speedup-toy-square.svg"]
    first, second = (each.chart.title for each in drawn)
    assert "matmul is 2.00 times faster" in first
    assert "matmul is 5.00 times faster" in second
    page = report.make_page(both)
    assert first in page
    assert second in page


def test_a_comparison_keeps_them_apart(both):
    """A cell is compared with the same cell of the same workload only."""
    slower = joined(make_results(times(2)), make_results(times(2.5), workload="toy"))
    found = comparison.compare_seconds(both.results, slower)
    cells = found.cells[found.cells["implementation"] == "matmul"]
    assert cells.groupby("workload")["ratio"].first().to_dict() == {
        "forward": pytest.approx(1.0),
        "toy": pytest.approx(0.5),
    }
    whole = Bundle(slower, comparison=found)
    assert [part.name for part in comparison_parts(whole)] == ["square", "toy-square"]
    for part in comparison_parts(whole):
        assert part.rows["workload"].nunique() == 1
    parts = [drawn.chart.points for drawn in pictures.draw_all(whole, ["forest"])]
    assert [len(points) for points in parts] == [4, 4]


def test_a_run_of_another_workload_is_read(write_run):
    """The files say which it is; nothing of it has to be installed."""
    whole = bundle.load(write_run(times(3), workload="toy"))
    assert set(whole.table["workload"]) == {"toy"}
    assert set(whole.results.samples["workload"]) == {"toy"}
    matmul = whole.table[whole.table["implementation"] == "matmul"]
    assert matmul["speedup"].tolist() == pytest.approx([3.0, 3.0])
    # What grows along its sweeps is not known here, so its cases are named one by one.
    assert draw("time", whole).title == "Fastest: matmul at 4x4-4 and 16x16-16"
