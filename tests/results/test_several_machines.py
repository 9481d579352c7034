"""Runs of several machines in one folder: side by side, and never mixed."""

import json

import pytest

from builders.charts import draw, only
from builders.tables import make_results
from forwardbench import results
from forwardbench.analysis.estimates import estimated_speedups
from forwardbench.analysis.findings import caption, finding, name_setting, settings
from forwardbench.analysis.noise import noise_floors, verdicts
from forwardbench.analysis.table import summarize
from forwardbench.commands.main import main
from forwardbench.errors import UserError
from forwardbench.outputs import bundle
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.report import make_page
from forwardbench.outputs.tracked_cells import name_entry
from forwardbench.results import several_machines

HOSTS = ["10.0.0.1", "10.0.0.2"]


@pytest.fixture
def fleet(write_run, ladder, tmp_path):
    """Two runs on the same kind of CPU; on the second all but matmul takes twice as long.

    Beside them lie a run that is only half there, and what draws them.
    """
    (tmp_path / "fleet").mkdir()
    write_run(ladder, name=f"fleet/{HOSTS[0]}")
    slower = {
        name: {
            case: [seconds if name == "matmul" else 2 * seconds for seconds in row]
            for case, row in rows.items()
        }
        for name, rows in ladder.items()
    }
    write_run(slower, name=f"fleet/{HOSTS[1]}")
    write_run(ladder, name="fleet/.10.0.0.3.part")
    (tmp_path / "fleet" / "charts").mkdir()
    return tmp_path / "fleet"


@pytest.fixture
def whole(fleet):
    """All that is made of both."""
    return bundle.load(fleet)


@pytest.fixture
def table(whole):
    """The table of both."""
    return whole.table


def test_each_machine_has_the_figures_of_its_own_run(fleet, table):
    """Speedups and controls are never taken across machines: the rows are those of each run."""
    for host in HOSTS:
        alone = summarize(results.load(fleet / host))
        mine = table[table["host"] == host].reset_index(drop=True)
        for column in ("implementation", "case", "seconds", "speedup", "speedup_low", "status"):
            assert mine[column].tolist() == pytest.approx(alone[column].tolist(), nan_ok=True)
        assert noise_floors(mine).tolist() == noise_floors(alone).tolist()
        assert verdicts(mine).tolist() == verdicts(alone).tolist()
    largest = table[(table["implementation"] == "matmul") & (table["case"] == "64x64-64")]
    first, second = largest["speedup"]
    assert second == pytest.approx(2 * first)


def test_machines_with_the_same_cpu_are_told_apart(table):
    """By the folder of the run, in every place where a setting is named."""
    assert table["machine"].unique().tolist() == [
        f"{host}: Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test" for host in HOSTS
    ]
    assert [name_setting(rows) for rows in settings(table)] == [
        f"{host}: float64, 1 thread" for host in HOSTS
    ]
    assert caption(table) == (
        "10.0.0.1, 10.0.0.2: Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test  |  float64, 1 thread  |  "
        "3 passes  |  commit 0123456789"
    )
    names = [name_entry(row) for row in table.to_dict("records")]
    assert len(set(names)) == len(names)
    assert names[0] == "10.0.0.1/python_loops/square/1x1-1/float64/1 thread"


def test_estimates_use_the_baseline_of_their_own_machine(write_run, ladder, tmp_path):
    """A ratio with one estimated time is of two times on one machine as well."""
    (tmp_path / "two").mkdir()
    skipped = {("ndarray_loops", "256x256-256"): [5.0, 4.0, 6.0]}
    for host, factor in (("a", 1), ("b", 2)):
        times = {
            name: {case: [factor * each for each in row] for case, row in rows.items()}
            for name, rows in ladder.items()
        }
        write_run(times, name=f"two/{host}", skipped=skipped)
    table = summarize(results.load(tmp_path / "two"))
    guesses = estimated_speedups(table)["guess"]
    rows = table[(table["status"] == "estimated") & guesses.notna()]
    for guess, (_, row) in zip(guesses[rows.index], rows.iterrows(), strict=True):
        baseline = table[
            (table["host"] == row["host"]) & (table["case"] == row["case"])
            & (table["implementation"] == "python_loops")
        ]  # fmt: skip
        assert guess == pytest.approx(baseline["seconds"].iloc[0] / row["seconds"])
    assert rows["host"].tolist() == ["a", "b"]


@pytest.mark.parametrize("kind", ["time", "speedup", "cost"])
def test_line_charts_draw_machines_side_by_side(whole, kind):
    """A panel for each, in one row, named, and with axes that can be compared."""
    chart = draw(kind, whole)
    first, second = chart.axes
    assert [axes.get_title("left") for axes in (first, second)] == [
        f"{host}: float64, 1 thread" for host in HOSTS
    ]
    assert first.get_position().y0 == second.get_position().y0
    assert first.get_position().x1 < second.get_position().x0
    assert (first.get_ylim(), first.get_xlim()) == (second.get_ylim(), second.get_xlim())
    assert chart.title.startswith("10.0.0.1: float64, 1 thread: ")


@pytest.mark.parametrize(("kind", "panels"), [("heatmap", 2), ("samples", 8)])
def test_the_other_charts_have_panels_for_each_machine(whole, kind, panels):
    """Each panel says which it is of."""
    chart = draw(kind, whole)
    titles = [axes.get_title("left") for axes in chart.axes if axes.get_visible()]
    assert len(titles) == panels
    assert [sum(host in title for title in titles) for host in HOSTS] == [panels // 2] * 2


@pytest.mark.slow
def test_the_report_names_the_machine_of_every_row(whole):
    """In its table, its findings and its data."""
    page = make_page(whole)
    assert page.count('data-value="10.0.0.1"') == page.count('data-value="10.0.0.2"') > 10
    assert "square, 10.0.0.2: float64, 1 thread" in page
    found = finding(whole.table[whole.table["host"] == "10.0.0.2"], whole.evidence)
    assert f"<p>square, 10.0.0.2: {found}.</p>" in page
    assert set(whole.results.samples["host"]) == set(HOSTS)


def test_warnings_say_which_machine_they_are_about(whole):
    """Each machine's own, none of which can be resumed from here."""
    assert whole.warnings == [
        f"{host}: Only 3 passes, so little is known of how sure this is: measure again"
        for host in HOSTS
    ]


@pytest.mark.slow
def test_commands_take_a_folder_of_runs(fleet, capsys, tmp_path):
    """show, chart, report and export; the table has the column machine."""
    assert main(["show", str(fleet)]) == 0
    shown = capsys.readouterr().out
    assert "10.0.0.1: square, float64, 1 thread: speedup over python_loops" in shown
    assert main(["chart", str(fleet), "--format", "svg", "--output", str(tmp_path / "c")]) == 0
    assert "10.0.0.2" in (tmp_path / "c" / "speedup-square.svg").read_text()
    assert main(["report", str(fleet)]) == 0
    assert (fleet / "report.html").exists()
    capsys.readouterr()
    for form in ("csv", "markdown", "json", "pyperf", "github-action-benchmark"):
        assert main(["export", str(fleet), "--format", form]) == 0
        text = capsys.readouterr().out
        assert "10.0.0.1" in text
        assert "10.0.0.2" in text
    assert main(["show", str(fleet), "--baseline", "matmul"]) == 0


def test_several_machines_are_not_compared_as_if_they_were_one(fleet, capsys):
    """One of them can be."""
    assert main(["compare", str(fleet), str(fleet)]) == 2
    assert f"compare one of them, such as {fleet}/10.0.0.1" in capsys.readouterr().err
    assert main(["compare", str(fleet / HOSTS[0]), str(fleet / HOSTS[1])]) == 0


def test_runs_with_different_baselines_need_one_to_be_chosen(write_run, ladder, tmp_path):
    """Their speedups would not mean the same."""
    (tmp_path / "two").mkdir()
    write_run(ladder, name="two/a")
    write_run(ladder, name="two/b", baseline="matmul")
    loaded = results.load(tmp_path / "two")
    with pytest.raises(UserError, match=r"different baselines \(a: python_loops, b: matmul\): cho"):
        summarize(loaded)
    assert set(summarize(loaded, "matmul")["host"]) == {"a", "b"}


def test_runs_of_different_inputs_are_refused(fleet):
    """Their times do not stand side by side."""
    for path in (fleet / HOSTS[1]).glob("pass-*.json"):
        document = json.loads(path.read_text())
        for benchmark in document["benchmarks"]:
            benchmark["extra_info"]["workload_version"] = 99
        path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"different inputs \(version 10.0.0.1 1, 10.0.0.2 99\)"):
        results.load(fleet)


def test_a_torn_run_among_them_is_named(fleet):
    """The others are not shown as if they were all."""
    (fleet / HOSTS[1] / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"10.0.0.2/run.json is torn"):
        results.load(fleet)


def test_first_calls_of_each_machine_are_held_against_its_own_matmul():
    """The same first call pays twice as soon where every call takes twice as long."""
    parts = []
    for host, slower in zip(HOSTS, (1, 2), strict=True):
        times = {
            name: {"64x64-64": [slower * seconds] * 3}
            for name, seconds in {"matmul": 2e-3, "compiled": 1e-3}.items()
        }
        firsts = {("compiled", "64x64-64"): [1.001] * 3}
        parts.append(make_results(times, baseline="matmul", host=host, first_calls=firsts))
    whole = Bundle(several_machines.join(parts))
    found = whole.break_evens
    assert found["host"].tolist() == HOSTS
    assert found["calls"].tolist() == pytest.approx([1000, 499.5])
    drawn = only("break-even", whole)
    assert len(drawn.chart.figure.axes) == 2
    assert all(f"compiled on {host}: " in drawn.alternative for host in HOSTS)
