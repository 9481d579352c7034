"""Passes, plans and run folders, with real workers on small cells."""

import errno
import json
import os
import random
from pathlib import Path

import pytest

from forwardbench import isolation, results
from forwardbench.cases import Sweep, parse_case
from forwardbench.errors import UserError
from forwardbench.measure import ceiling, passes, plan, run, threads
from forwardbench.measure.cells import Cell
from forwardbench.measure.passes import PassResult, PlannedCell, run_pass, write_pass
from forwardbench.measure.request import Request
from forwardbench.verify import Verdict

SMALL = Sweep("shapes", "", "", (parse_case("2x3-2"), parse_case("3x4-4-2")))


def planned(reference, sweep=SMALL, seconds=1e-5, **options):
    """Cells of one implementation on every case of a sweep."""
    name = Path(reference).stem
    return [
        PlannedCell(Cell(name, str(reference), sweep.name, case, **options), seconds)
        for case in sweep.cases
    ]


def medians(result):
    """Median seconds by label and case."""
    found = {}
    for benchmark in result.benchmark["benchmarks"]:
        cell = Cell.from_json(benchmark["extra_info"]["cell"])
        found[cell.label, str(cell.case)] = benchmark["stats"]["median"]
    return found


@pytest.fixture
def bad(tmp_path):
    """Write a contender that computes rightly until it is asked for the larger case."""

    def write(name, deed):
        path = tmp_path / f"{name}.py"
        path.write_text(
            "import numpy as np, os, sys, time\n"
            "kept = {}\n"
            "def plain(x, layers):\n"
            "    for w, b, g in layers:\n        x = 0.5 * np.tanh(0.5 * (x @ w + b)) + 0.5\n"
            "    return x\n"
            "def forward(x, layers):\n"
            f"    if len(layers) == 2:\n        {deed}\n"
            "    return plain(x, layers)\n"
        )
        return path

    return write


def test_a_pass_measures_every_cell_once_and_says_on_what():
    """Every cell has its time, its error and its group; the JSON is pytest-benchmark's own."""
    cells = [*planned("matmul"), *planned("python_loops"), *planned("matmul", control=True)]
    counted = []
    result = run_pass(cells, "seed", {"id": "abc"}, lambda: counted.append(1))
    assert result.failures == {}
    assert len(counted) == len(cells) == len(medians(result)) == 6
    assert all(0 < seconds < 1 for seconds in medians(result).values())
    for benchmark in result.benchmark["benchmarks"]:
        assert 0 <= benchmark["extra_info"]["error"] < 1e-14
        assert benchmark["group"].startswith("shapes ")
        assert benchmark["stats"]["rounds"] >= 3
    info = result.benchmark["machine_info"]
    if hasattr(os, "sched_setaffinity"):
        assert info["threads"]["cpus"] == threads.cpus_for(1)
    assert [pool["num_threads"] for pool in info["threads"]["pools"]] == [1]
    assert "node" not in info
    assert result.benchmark["commit_info"] == {"id": "abc"}


def test_the_order_is_the_seeds():
    """The same seed gives the same order, another seed another, and neither is the plan's."""
    cells = planned(
        "matmul", Sweep("shapes", "", "", tuple(parse_case(f"{n}x2-2") for n in range(1, 9)))
    )

    def order(seed):
        return list(medians(run_pass(cells, seed, {})))

    first = order("a")
    assert order("a") == first
    assert order("b") != first
    assert first != [("matmul", str(p.cell.case)) for p in cells]


def test_a_slow_call_runs_once():
    """A cell expected to outlast its share of a pass is timed in one round of one call."""
    (one, *_) = planned("matmul", seconds=passes.CELL_SECONDS * 1.01)
    (benchmark,) = run_pass([one], "seed", {}).benchmark["benchmarks"]
    assert (benchmark["stats"]["rounds"], benchmark["stats"]["iterations"]) == (1, 1)


@pytest.mark.parametrize(
    ("name", "deed", "reason"),
    [
        ("raises", "raise ValueError('not\\nthis')", "ValueError: not this"),
        ("dies", "os._exit(7)", "exited with status 7"),
        ("hangs", "time.sleep(1000)", "did not finish within 5 s"),
        (
            "lies",
            "return np.zeros((len(x), 2))",
            "WrongResultError: 3x4-4-2 sigmoid float64: worst",
        ),
        (
            "remembers",  # and so is right about the one input that it is timed with
            "return kept.setdefault(x.shape, plain(x, layers)).copy()",
            "WrongResultError: 3x4-4-2 sigmoid float64: worst",
        ),
    ],
)
def test_a_contender_that_fails_costs_its_own_cell_only(bad, name, deed, reason):
    """Its other cells and everybody else's are measured all the same."""
    path = bad(name, deed)
    result = run_pass([*planned(path), *planned("matmul")], "seed", {}, stall_seconds=5)
    (failed,) = result.failures
    assert failed == f"{name}-shapes-3x4-4-2-float64-1"
    assert reason in result.failures[failed]
    measured = set(medians(result)) - {(name, "3x4-4-2")}
    assert measured == {(name, "2x3-2"), ("matmul", "2x3-2"), ("matmul", "3x4-4-2")}


def test_a_crash_is_laid_at_the_door_of_the_cell_it_happened_in(bad):
    """Whether it comes first or last in the worker, the other cell is measured."""
    path = bad("dies", "os._exit(7)")
    firsts = set()
    for seed in ("a", "b", "c", "d"):
        firsts.add(str(random.Random(seed).sample(planned(path), 2)[0].cell.case))
        result = run_pass(planned(path), seed, {})
        assert list(result.failures) == ["dies-shapes-3x4-4-2-float64-1"]
        assert list(medians(result)) == [("dies", "2x3-2")]
    assert len(firsts) == 2


def test_a_result_found_wrong_after_timing_says_so_in_the_file(bad):
    """The time stays in pytest-benchmark's JSON, marked as rejected."""
    cells = planned(bad("lies", "return np.zeros((len(x), 2))"))
    rejected = [
        benchmark["extra_info"].get("rejected", "")
        for benchmark in run_pass(cells, "seed", {}).benchmark["benchmarks"]
    ]
    assert sorted(map(bool, rejected)) == [False, True]


def test_no_two_frameworks_share_a_process(tmp_path):
    """The suite's NumPy rungs share one; a file of one's own and a thread count are alone."""
    own = tmp_path / "own.py"
    own.write_text("def forward(x, layers): return x\n")
    keys = {
        passes._worker_of(planned(reference, threads=count)[0].cell)
        for reference in ("matmul", "python_loops", own)
        for count in (1, 2)
    }
    assert len(keys) == 4


def test_the_plan_of_a_pass_has_a_length_in_seconds():
    """A worker, its cells' rounds, and twice each slow call."""
    fast, slow = planned("matmul", seconds=0.001)[0], planned("matmul", seconds=0.5)[0]
    alone = passes.predicted_seconds([fast])
    assert passes.predicted_seconds([fast, slow]) == pytest.approx(alone + 1.0, abs=0.1)


def test_a_pass_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A full disk leaves neither a torn file nor the temporary one."""

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_pass(tmp_path, 1, PassResult({"benchmarks": []}))
    assert list(tmp_path.iterdir()) == []


REQUEST = Request(
    {"python_loops": "python_loops", "matmul": "matmul"}, (SMALL,), "python_loops", passes=2, seed=3
)
VERIFIED = {name: Verdict(name, "verified") for name in REQUEST.contenders}


def test_a_run_is_kept_and_read_back(tmp_path):
    """Two passes of a small run: every cell measured, controls of both ends, request kept."""
    folder = run.claim_folder(tmp_path / "deep" / "run", REQUEST)
    made = plan.make_plan(REQUEST, VERIFIED)
    run.record_plan(folder, VERIFIED, made)
    run.measure_passes(folder, REQUEST, made)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "pass-001.json", "pass-002.json", "run.json",
    ]  # fmt: skip
    loaded = results.load(folder.path)
    labels = {"python_loops", "matmul", "python_loops (control)", "matmul (control)"}
    assert set(loaded.cells["implementation"]) in (labels, labels - {"matmul (control)"})
    assert set(loaded.cells["status"]) == {"measured"}
    document = json.loads((folder.path / "run.json").read_text())
    assert document["request"]["seed"] == 3
    assert document["finished"] > document["started"]
    assert max(path.stat().st_size for path in folder.path.glob("pass*")) < 2e6


def test_what_did_not_verify_is_not_measured():
    """Its cells are in the plan with their status and reason, and cost no time."""
    verdicts = VERIFIED | {"matmul": Verdict("matmul", "rejected", "worst at [0, 0]")}
    made = plan.make_plan(REQUEST, verdicts)
    assert {p.cell.implementation for p in made.measured} == {"python_loops"}
    assert {(s.cell.implementation, s.status, s.reason) for s in made.skipped} == {
        ("matmul", "rejected", "worst at [0, 0]")
    }


def test_what_is_predicted_too_slow_is_left_out_with_its_estimate():
    """A limit that only the smallest case keeps leaves the larger one estimated."""
    sweep = Sweep("square", "", "batch", tuple(parse_case(f"{n}x{n}-{n}") for n in (1, 4, 16, 64)))
    request = Request({"python_loops": "python_loops"}, (sweep,), "python_loops", limit=0.002)
    made = plan.make_plan(request, {"python_loops": Verdict("python_loops", "verified")})
    (skipped,) = made.skipped
    assert str(skipped.cell.case) == "64x64-64"
    assert "over the limit of 0.002 s" in skipped.reason
    assert skipped.estimate[0] > 0.002


def test_a_contender_that_dies_when_first_called_has_failed(bad):
    """The probe's process is its own; the others are planned."""
    contenders = {"dies": str(bad("dies", "os._exit(7)")), "matmul": "matmul"}
    request = Request(contenders, (SMALL,), "matmul")
    made = plan.make_plan(request, {name: Verdict(name, "verified") for name in contenders})
    assert {s.cell.implementation: s.status for s in made.skipped} == {"dies": "failed"}
    assert {p.cell.implementation for p in made.measured} == {"matmul"}


def test_an_interrupted_run_keeps_the_passes_that_are_finished(tmp_path, monkeypatch):
    """Whatever ends the second pass, the first can be read."""
    folder = run.claim_folder(tmp_path / "run", REQUEST)
    made = plan.Plan(planned("matmul"))
    run.record_plan(folder, VERIFIED, made)
    real = run.run_pass

    def interrupted(remaining, seed, *rest):
        if seed.endswith("/2"):
            raise KeyboardInterrupt
        return real(remaining, seed, *rest)

    monkeypatch.setattr(run, "run_pass", interrupted)
    done = []
    with pytest.raises(KeyboardInterrupt):
        run.measure_passes(folder, REQUEST, made, on_pass=done.append)
    assert done == [1]
    assert len(results.load(folder.path).samples) == 2


def test_a_run_in_which_everything_fails_ends_early_and_is_read(bad, tmp_path):
    """Without cells there is no next pass, and the table says failed."""
    path = bad("raises", "raise ValueError('no')")
    (_, fails) = planned(path)
    folder = run.claim_folder(tmp_path / "run", REQUEST)
    run.record_plan(folder, VERIFIED, plan.Plan([fails]))
    run.measure_passes(folder, REQUEST, plan.Plan([fails]))
    assert [file.name for file in folder.path.glob("pass*")] == ["pass-001.json"]
    loaded = results.load(folder.path)
    assert loaded.cells["status"].tolist() == ["failed"]
    assert loaded.samples.empty


def test_a_disk_that_fills_up_loses_no_finished_pass(tmp_path, monkeypatch):
    """One line names the passes that are safe and how to see them."""
    folder = run.claim_folder(tmp_path / "run", REQUEST)
    made = plan.Plan(planned("matmul"))
    run.record_plan(folder, VERIFIED, made)
    real = run.write_pass

    def full_at_two(path, number, result):
        if number == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, number, result)

    monkeypatch.setattr(run, "write_pass", full_at_two)
    with pytest.raises(UserError, match="No space left on device; the 1 passes before it are safe"):
        run.measure_passes(folder, REQUEST, made)
    assert len(results.load(folder.path).samples) == 2


def test_a_folder_is_claimed_or_the_reason_is_said(tmp_path, monkeypatch):
    """Existing, impossible and full places get one line, and nothing is left behind."""
    with pytest.raises(UserError, match="exists already: name a new folder with --output"):
        run.claim_folder(tmp_path, REQUEST)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot make the folder .*Not a directory"):
        run.claim_folder(tmp_path / "file" / "run", REQUEST)

    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run, "write_whole", full)
    with pytest.raises(UserError, match="cannot write into .*No space left on device"):
        run.claim_folder(tmp_path / "run", REQUEST)
    assert not (tmp_path / "run").exists()


def test_the_commit_is_forwardbenchs_own(tmp_path, monkeypatch):
    """Wherever a run is started, it names the commit of this code, or none."""
    before = run.forwardbench_commit()
    monkeypatch.chdir(tmp_path)
    assert run.forwardbench_commit() == before
    assert before == {} or len(before["id"]) == 40


def test_a_machine_too_small_for_its_ceiling_is_measured_all_the_same(monkeypatch):
    """Without a peak to compare with, nothing is called implausible."""

    def fails(dtype, threads):
        raise isolation.ChildError("MemoryError")

    monkeypatch.setattr(plan, "measure_ceiling", fails)
    made = plan.make_plan(REQUEST, VERIFIED)
    assert made.ceilings == []
    assert made.measured


def test_the_ceiling_is_what_a_matrix_product_reaches():
    """Even the slowest machine reaches a tenth of a GFLOP/s and moves ten megabytes a second."""
    peak = ceiling.measure_ceiling("float32", 1)
    assert (peak["dtype"], peak["threads"]) == ("float32", 1)
    assert peak["gflops"] > 0.1
    assert peak["bytes_per_second"] > 1e7
