"""Reading asv's results: what it measured, what it left out, and which commit was meant."""

import json
import math

import pytest

from builders import asv_folders
from forwardbench import results
from forwardbench.analysis import findings
from forwardbench.analysis.table import summarize
from forwardbench.errors import UserError
from forwardbench.outputs import bundle
from forwardbench.results import asv

DAY = 86_400_000
"""Milliseconds."""


@pytest.fixture
def write_asv(tmp_path):
    """Write one file of results into a folder of asv's, and return that folder."""
    return lambda *arguments, **options: asv_folders.write_asv(
        tmp_path / "asv", *arguments, **options
    )


def table_of(source):
    """The table, by implementation and case."""
    return summarize(results.load(source)).set_index(["implementation", "case"])


def only_file(folder):
    """The one file of results in asv's folder."""
    (file,) = (each for each in folder.glob("*/*.json") if each.name != "machine.json")
    return file


def change(path, **changes):
    """Change what stands in a file of results; a value of None takes it away."""
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: each for key, each in document.items() if each is not None}))


def test_asv_has_one_row_for_each_pair_of_parameters(write_asv):
    """The product of the lists, the last one fastest, with what is known of each case."""
    table = table_of(write_asv({"python_loops": [8.0, 64.0], "matmul": [2.0, 4.0]}))
    assert table["seconds"].to_dict() == {
        ("python_loops", "4x4-4"): 8.0,
        ("python_loops", "16x16-16"): 64.0,
        ("matmul", "4x4-4"): 2.0,
        ("matmul", "16x16-16"): 4.0,
    }
    row = table.loc["matmul", "16x16-16"]
    assert row[["sweep", "batch", "widths", "activation", "dtype", "threads"]].tolist() == [
        "square", 16, "16-16", "sigmoid", "float64", 1,
    ]  # fmt: skip
    assert (row["passes"], row["speedup"], row["status"]) == (1, 16.0, "measured")
    assert row["machine"] == "Made-up CPU, 2 CPUs, timed by asv"
    assert row["commit"] == "1a2b3c4d5e"


def test_cases_are_looked_for_as_the_benchmarks_do(write_asv):
    """Worked examples first, then the square sweep; any other is a shape of one's own."""
    cases = ("1x2-3", "4x4-4", "5x6-7")
    table = table_of(write_asv({"matmul": [1.0, 1.0, 1.0]}, cases))
    assert table["sweep"].tolist() == ["course", "square", "shapes"]
    assert table_of(write_asv({"matmul": [1.0]}, ("10000x3-1",)))["activation"].tolist() == [
        "linear"
    ]


def test_failed_and_skipped_are_kept_apart(write_asv):
    """Null raised, crashed or timed out; NaN was not to be measured. Neither is a time."""
    folder = write_asv({"python_loops": [1.0, math.nan], "matmul": [None, 2.0]})
    table = table_of(folder)
    failed, skipped = table.loc["matmul", "4x4-4"], table.loc["python_loops", "16x16-16"]
    assert failed["status"] == "failed"
    assert failed["reason"] == "raised, crashed or timed out under asv, which keeps no reason"
    assert skipped["status"] == "skipped"
    assert skipped["reason"] == (
        "skipped under asv: not in this commit, or predicted to be too slow"
    )
    assert table["seconds"].notna().sum() == 2
    assert table["speedup"].dropna().to_dict() == {("python_loops", "4x4-4"): 1.0}


def test_a_benchmark_that_failed_as_a_whole_is_failed_everywhere(write_asv):
    """Asv writes one null for all: every pair of parameters failed."""
    folder = write_asv({"python_loops": [None, None], "matmul": [None, None]})
    document = json.loads(only_file(folder).read_text())
    assert document["results"][asv.BENCHMARK][0] is None
    table = table_of(folder)
    assert len(table) == 4
    assert set(table["status"]) == {"failed"}


def test_results_of_other_benchmarks_are_passed_over(write_asv):
    """A commit with other results only is no commit of ours; without any, that is said."""
    folder = write_asv({"matmul": [1.0, 2.0]})
    others = write_asv({"matmul": [5.0, 6.0]}, commit="ffff0000", date=DAY)
    newest = folder / "desk" / "ffff0000-virtualenv-py3.11.json"
    document = json.loads(newest.read_text())
    del document["results"][asv.BENCHMARK]
    newest.write_text(json.dumps(document))
    assert table_of(others).loc[("matmul", "4x4-4"), "seconds"] == 1.0
    assert len(results.load_history(folder)) == 1
    with pytest.raises(UserError, match="holds no times of forwardbench's benchmarks"):
        results.load(newest)


def test_intervals_are_passed_on(write_asv):
    """Those of asv are the ones of the time; a speedup's is combined in the logarithm."""
    folder = write_asv(
        {
            "python_loops": [(8.0, 7.0, 10.0), (8.0, None, None)],
            "matmul": [(2.0, 1.8, 2.1), (2.0, 1.9, 2.1)],
        }
    )
    table = table_of(folder)
    loops, matmul = (table.loc[name, "4x4-4"] for name in ("python_loops", "matmul"))
    times = ["seconds", "seconds_low", "seconds_high"]
    assert loops[times].tolist() == [8.0, 7.0, 10.0]
    assert matmul[times].tolist() == [2.0, 1.8, 2.1]
    assert matmul["speedup"] == 4.0
    down = math.sqrt(math.log(8 / 7) ** 2 + math.log(2.1 / 2) ** 2)
    up = math.sqrt(math.log(10 / 8) ** 2 + math.log(2 / 1.8) ** 2)
    assert matmul["speedup_low"] == pytest.approx(4 * math.exp(-down), rel=1e-14)
    assert matmul["speedup_high"] == pytest.approx(4 * math.exp(up), rel=1e-14)
    assert loops[["speedup", "speedup_low", "speedup_high"]].tolist() == [1.0, 1.0, 1.0]
    unsure = table.loc["matmul", "16x16-16"]
    assert unsure["speedup"] == 4.0
    assert unsure[["speedup_low", "speedup_high"]].isna().all()  # the baseline has none


def test_an_interval_of_one_run_is_not_sold_as_one_over_passes(write_asv):
    """The finding says where it is from, and a warning what it does not know."""
    folder = write_asv({"python_loops": [(8.0, 7.0, 9.0)], "matmul": [(2.0, 1.9, 2.1)]}, ("4x4-4",))
    whole = bundle.load(folder)
    assert findings.finding(whole.table, whole.evidence) == (
        "matmul is 4.00 times faster than python_loops at 4x4-4 (interval of one run's samples "
        "3.47 to 4.55)"
    )
    assert whole.warnings == [
        "Intervals come from the samples of one run, and other runs may differ by more: measure "
        "in passes with forwardbench run"
    ]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ((2.0, -math.inf, math.inf), (math.nan, math.nan)),  # too few samples
        ((2.0, 1.0, math.inf), (math.nan, math.nan)),
        ((2.0, -0.5, 3.0), (math.nan, math.nan)),  # of few samples, asv may go below 0
        ((3.123456, 3.1235, 3.1235), (3.123456, 3.1235)),  # asv's five digits
        ((3.123444, 3.1234, 3.1234), (3.1234, 3.123444)),
    ],
)
def test_intervals_lie_around_their_time(write_asv, given, read):
    """Both ends are known or none is, and rounding puts neither on the wrong side."""
    table = table_of(write_asv({"matmul": [given, 1.0]}))
    row = table.loc["matmul", "4x4-4"]
    assert (row["seconds_low"], row["seconds_high"]) == pytest.approx(read, nan_ok=True, rel=0)
    assert row["seconds"] == given[0]


@pytest.mark.parametrize("given", [(2.0, 2.5, 3.0), (2.0, 1.0, 1.5)])
def test_an_interval_beside_its_time_is_refused(write_asv, given):
    """Such a file was not written by asv."""
    with pytest.raises(UserError, match="an interval from"):
        results.load(write_asv({"matmul": [given, 1.0]}))


def test_the_newest_commit_is_taken_unless_one_is_named(write_asv):
    """Newest by the date of the commit, not by name; a name may be short, in either case."""
    write_asv({"matmul": [1.0, 1.0]}, commit="ffff1111", date=3 * DAY)
    write_asv({"matmul": [3.0, 3.0]}, commit="aaaa3333", date=9 * DAY)
    folder = write_asv({"matmul": [2.0, 2.0]}, commit="ffaa2222", date=5 * DAY)
    assert results.load(folder).commit == "aaaa3333"
    assert results.load(f"{folder}@ffff").commit == "ffff1111"
    assert results.load(f"{folder}/desk@FFAA").commit == "ffaa2222"
    assert results.load(folder / "desk" / "ffff1111-virtualenv-py3.11.json").commit == "ffff1111"
    assert [each.commit for each in results.load_history(folder)] == [
        "ffff1111", "ffaa2222", "aaaa3333",
    ]  # fmt: skip
    assert [each.commit for each in results.load_history(f"{folder}@ffff")] == ["ffff1111"]
    facts = [each.origin.facts["date of the commit"] for each in results.load_history(folder)]
    assert facts == ["1970-01-04", "1970-01-06", "1970-01-10"]


def test_a_commit_that_is_not_there_is_answered_with_those_that_are(write_asv):
    """The newest first; of an ambiguous beginning, the commits that it may mean."""
    write_asv({"matmul": [1.0, 1.0]}, commit="ffff1111", date=3 * DAY)
    folder = write_asv({"matmul": [2.0, 2.0]}, commit="ffaa2222", date=5 * DAY)
    with pytest.raises(UserError) as caught:
        results.load(f"{folder}@1a2b")
    assert str(caught.value) == (
        f"{folder} has no times of commit 1a2b: it has those of ffaa2222, ffff1111"
    )
    with pytest.raises(UserError) as caught:
        results.load(f"{folder}@ff")
    assert str(caught.value) == (
        f"{folder} has several commits that begin with ff: give more of ffaa2222 or ffff1111"
    )


def test_of_many_commits_only_a_few_are_named(write_asv):
    """An error stays a line that can be read."""
    for day in range(11):
        folder = write_asv({"matmul": [1.0, 1.0]}, commit=f"{day:08x}", date=day * DAY)
    with pytest.raises(UserError, match=r"those of 0000000a, .*, 00000003, 3 more$"):
        results.load(f"{folder}@ffff")


def test_of_several_machines_the_one_measured_last_is_read(write_asv):
    """Committed results of another machine do not stand in the way; a folder names any of them."""
    write_asv({"matmul": [2.0, 2.0]}, machine="desk", date=DAY)
    folder = write_asv({"matmul": [1.0, 1.0]}, machine="archive", date=0)
    assert table_of(folder).loc[("matmul", "4x4-4"), "seconds"] == 2.0
    assert table_of(folder / "archive").loc[("matmul", "4x4-4"), "seconds"] == 1.0


def test_several_environments_are_not_mixed(write_asv):
    """The message names the newest file of each; a commit measured in one of them needs none."""
    write_asv({"matmul": [1.0, 1.0]}, environment="py3.11", commit="aaaa", date=DAY)
    write_asv({"matmul": [2.0, 2.0]}, environment="py3.12", commit="aaaa", date=DAY)
    folder = write_asv({"matmul": [3.0, 3.0]}, environment="py3.12", commit="bbbb", date=2 * DAY)
    newest = folder / "desk" / "aaaa-py3.11.json", folder / "desk" / "bbbb-py3.12.json"
    message = (
        f"{folder} holds results of several environments: give a file of one, {newest[0]} or "
        f"{newest[1]}"
    )
    for load in (results.load, results.load_history):
        with pytest.raises(UserError) as caught:
            load(folder)
        assert str(caught.value) == message
    with pytest.raises(UserError, match="several environments"):
        results.load(f"{folder}@aaaa")
    assert results.load(f"{folder}@bbbb").commit == "bbbb"
    assert results.load(newest[0]).commit == "aaaa"


def test_older_commits_have_parameters_of_their_own(write_asv):
    """Each file brings its lists: a commit without an implementation has no row of it."""
    write_asv({"matmul": [1.0]}, cases=("4x4-4",), commit="aaaa", date=DAY)
    folder = write_asv({"matmul": [1.0, 1.0], "numba": [2.0, 2.0]}, commit="bbbb", date=2 * DAY)
    old, new = (summarize(each) for each in results.load_history(folder))
    assert old["implementation"].tolist() == ["matmul"]
    assert new["implementation"].tolist() == ["matmul", "matmul", "numba", "numba"]


@pytest.mark.parametrize("version", [1, 3, None])
def test_other_formats_of_asv_get_one_line(write_asv, version):
    """Files of an older asv have another shape; asv itself brings them up to date."""
    file = only_file(write_asv({"matmul": [1.0, 1.0]}))
    change(file, version=version, results={asv.BENCHMARK: {"result": [1.0]}}, result_columns=None)
    with pytest.raises(UserError) as caught:
        results.load(file)
    assert str(caught.value) == (
        f"{file} is not in format 2 of asv's results: bring older ones up to it with asv update"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "yesterday"},
        {"date": 1e300},
        {"date": -1},
        {"commit_hash": 7},
        {"env_name": None},
        {"result_columns": ["params", "result"]},
        {"results": []},
        {"results": {asv.BENCHMARK: [[1.0], [["'matmul'"], ["'4x4-4'", "'1x1-1'"]]]}},
        {"results": {asv.BENCHMARK: [[1.0], [["'matmul'"]]]}},
        {"results": {asv.BENCHMARK: [[0.0], [["'matmul'"], ["'4x4-4'"]]]}},
        {"results": {asv.BENCHMARK: [["1"], [["'matmul'"], ["'4x4-4'"]]]}},
        {"results": {asv.BENCHMARK: [[1.0], [["matmul"], ["'4x4-4'"]]]}},
        {"results": {asv.BENCHMARK: [[1.0], [["'matmul'"], ["'4by4'"]]]}},
        {"results": {asv.BENCHMARK: [None, [["'matmul'"], []]]}},
        {"results": {asv.BENCHMARK: [[1.0, 1.0], [["'matmul'"] * 2, ["'4x4-4'"]]]}},
        {"env_vars": {"OMP_NUM_THREADS": "0"}},
        {"env_vars": {"OMP_NUM_THREADS": "many"}},
        {"params": None},
    ],
)
def test_what_asv_does_not_write_is_refused_in_one_line(write_asv, changes):
    """The file is named; nothing of it is used."""
    file = only_file(write_asv({"matmul": [1.0, 1.0]}))
    change(file, **changes)
    with pytest.raises(UserError, match="is not of a form that forwardbench writes") as caught:
        results.load(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_file_cannot_ask_for_many_rows(write_asv):
    """Two long lists and a null would be 10,000 million rows."""
    file = only_file(write_asv({"matmul": [1.0, 1.0]}))
    axis = ["'4x4-4'"] * 100_000
    change(file, results={asv.BENCHMARK: [None, [axis, axis]]})
    with pytest.raises(UserError, match="a number of cells of 10000000000"):
        results.load(file)


@pytest.mark.parametrize(
    ("ram", "said"), [(str(2**34), "16 GiB"), (2**35, "32 GiB"), ("8GB", "8GB"), ("", None)]
)
def test_memory_is_read_however_it_was_described(write_asv, ram, said):
    """Who describes a machine by hand may write what they like."""
    folder = write_asv({"matmul": [1.0, 1.0]}, params={"cpu": "", "ram": ram})
    loaded = results.load(folder)
    assert loaded.origin.facts.get("memory") == said
    assert loaded.machine == "timed by asv"


def test_threads_are_those_of_the_environment(write_asv):
    """OMP_NUM_THREADS is what the benchmarks were run with; asv's own default is 1 here."""
    several = write_asv({"matmul": [1.0, 1.0]}, env_vars={"OMP_NUM_THREADS": "4"})
    assert set(results.load(several).cells["threads"]) == {4}
    unset = write_asv({"matmul": [1.0, 1.0]}, env_vars={})
    assert set(results.load(unset).cells["threads"]) == {1}


def test_what_asv_keeps_beside_its_results_is_no_result(write_asv, tmp_path):
    """A folder with nothing in it yet says what to do; benchmarks.json may be missing."""
    folder = write_asv({"matmul": [1.0, 1.0]})
    (folder / "benchmarks.json").unlink()
    assert results.load(folder).commit == "1a2b3c4d5e"
    only_file(folder).unlink()
    for path in (folder, folder / "desk"):
        with pytest.raises(UserError, match="measure a commit with asv run HEAD"):
            results.load(path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "benchmarks.json").write_text("{}")
    with pytest.raises(UserError, match="measure a commit with asv run HEAD"):
        results.load(tmp_path / "new")
