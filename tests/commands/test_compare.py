"""`forwardbench compare`: what it prints, writes, and when it fails."""

import json

import pytest

from builders.places import ASV, REFERENCE
from builders.run_folders import rewrite
from forwardbench.analysis import comparison
from forwardbench.commands.main import main


def test_compare_prints_every_cell_and_what_it_adds_up_to(two_runs, capsys):
    """Ratios with intervals and verdicts, counts, means and the machine's own drift."""
    first, second = two_runs((2.0, 1.0))
    assert main(["compare", str(first), str(second)]) == 0
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    (changed,) = [line for line in lines if line[:2] == ["64x64-64", "matmul"]]
    assert changed[2:6] == ["10.0", "us", "20.0", "us"]
    assert changed[-1] == "slower"
    assert "0 faster, 2 slower, 2 no difference shown, 2 not comparable." in shown
    assert "Geometric mean, matmul: 0.500 times as fast (95 % interval 0.4" in shown
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize(
    ("limit", "status"), [("5%", 3), ("0.05", 3), ("95%", 3), ("99.9%", 0), ("100%", 0)]
)
def test_only_a_certain_regression_fails(two_runs, limit, status, capsys):
    """Status 3 only where the interval excludes less: twice as long is not surely 99.9 % more."""
    first, second = two_runs((2.0, 1.0))
    assert main(["compare", str(first), str(second), "--fail-on-regression", limit]) == status
    said = capsys.readouterr().err.splitlines()
    assert len(said) == (2 if status else 0)
    if status:
        assert said[0].startswith("Regression: matmul at 4x4-4 (float64, threads: 1) takes 2")


def test_identical_runs_have_no_regression(two_runs, capsys):
    """Not even one above 1 %."""
    first, second = two_runs()
    assert main(["compare", str(first), str(second), "--fail-on-regression", "1%"]) == 0
    assert capsys.readouterr().err == ""


def test_what_cannot_be_compared_does_not_pass(two_runs, capsys):
    """Asked to fail on regressions, a comparison of nothing has status 1."""
    first, second = two_runs()
    rewrite(second, lambda document: document["machine_info"]["cpu"].update(brand_raw="Another"))
    assert main(["compare", str(first), str(second), "--fail-on-regression", "5%"]) == 1
    assert "nothing could be compared" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["five", "-1%", "2000%", "nan", "", "5"])
def test_a_share_that_is_none_is_refused(share, capsys):
    """One line, status 2."""
    with pytest.raises(SystemExit) as caught:
        main(["compare", "a", "b", f"--fail-on-regression={share}"])
    assert caught.value.code == 2
    assert "is not a share: write 5% or 0.05" in capsys.readouterr().err


def test_one_run_alone_has_nothing_to_compare(two_runs, capsys):
    """It says what else to give."""
    assert main(["compare", str(two_runs()[0])]) == 2
    assert "has one commit only, so there is nothing to compare" in capsys.readouterr().err


def test_two_commits_of_asv_are_compared(capsys):
    """The last two without being named, and any two by name."""
    assert main(["compare", str(ASV), "--seconds"]) == 0
    unnamed = capsys.readouterr().out
    named = ["compare", f"{ASV}@00dfd33c", f"{ASV}@2330662e", "--seconds"]
    assert main(named) == 0
    assert capsys.readouterr().out == unnamed
    assert "matmul" in unnamed


def test_runs_and_asv_are_not_compared(capsys):
    """Different tools time differently; it is said, not hidden."""
    assert main(["compare", str(REFERENCE), str(ASV)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "timed by different tools: forwardbench and asv" in shown


def test_a_comparison_is_written_as_table_and_forest(two_runs, tmp_path, capsys):
    """A CSV with every cell, and a chart for each sweep that says what it shows."""
    first, second = two_runs((2.0, 1.0))
    folder = tmp_path / "out"
    assert main(["compare", str(first), str(second), "--output", str(folder)]) == 0
    assert f"Comparison: {folder} (comparison.csv and 2 charts)" in capsys.readouterr().out
    header = (folder / "comparison.csv").read_text().splitlines()[0]
    assert header == ",".join(comparison.COLUMNS)
    svg = (folder / "forest-square.svg").read_text()
    assert (
        "Forest chart of the sweep square, where On average the second is 0.707 times as fast"
        in svg
    )
    assert f"first: {first}" in svg


def test_what_broke_does_not_pass(two_runs, capsys):
    """A contender that worked in the first and fails in the second is named; status 1."""
    first, second = two_runs()
    for path in second.glob("pass-*.json"):
        document = json.loads(path.read_text())
        document["failures"] = {"matmul-square-4x4-4-float64-1": "ValueError: no"}
        path.write_text(json.dumps(document))
    assert main(["compare", str(first), str(second), "--fail-on-regression", "5%"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Not judged: 1 of 4 cells, for the reasons above",
        "Broken: matmul at 4x4-4: failed in the second: ValueError: no",
    ]


@pytest.mark.parametrize(("doubted", "status"), [("first", 0), ("second", 1)])
def test_what_becomes_credible_is_not_broken(two_runs, doubted, status, capsys):
    """A time that was too fast to be believed breaks nothing by going; by coming it does."""
    folders = dict(zip(("first", "second"), two_runs(), strict=True))
    peak = {"dtype": "float64", "threads": 1, "gflops": 50, "bytes_per_second": 1e12}
    for folder in folders.values():
        run = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**run, "ceilings": [peak]}))

    def hurry(document):
        for entry in document["benchmarks"]:
            cell = entry["extra_info"]["cell"]
            if (cell["implementation"], cell["case"]["batch"]) == ("matmul", 64):
                entry["stats"]["median"] = 1e-9

    rewrite(folders[doubted], hurry)
    arguments = ["compare", *map(str, folders.values()), "--fail-on-regression", "5%"]
    assert main(arguments) == status
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Not judged: 1 of 4 cells, for the reasons above"
    assert (
        said[1:]
        == [
            "Broken: matmul at 64x64-64: not credible in the second: implausible: 524,288 GFLOP/s "
            "where this machine reached 50"
        ][:status]
    )


def test_a_limit_below_what_the_machine_moved_is_warned_of(two_runs, capsys):
    """A real regression of 25 % may hide behind a machine that is 30 % slower; it is said."""
    first, second = two_runs((1.25, 1.0), machine=1.3)
    assert main(["compare", str(first), str(second), "--fail-on-regression", "5%"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("Warning: the baseline itself may have moved by 30.6% between")
    assert said.count("\n") == 1
