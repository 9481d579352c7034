"""Plans and passes, with real workers on small cells."""

import errno
import os
import random
import statistics
from dataclasses import replace
from itertools import takewhile

import pytest

from builders.requests import REQUEST, SMALL, VERIFIED, planned
from builders.waiting import PATIENCE
from forwardbench import processes
from forwardbench.cases import Sweep, parse_case
from forwardbench.measure import ceiling, passes, plan, timing
from forwardbench.measure.calm import MOST_REPEATS
from forwardbench.measure.passes import PassResult, predicted_seconds, run_pass, write_pass
from forwardbench.measure.request import Request
from forwardbench.records import Cell
from forwardbench.verification.verify import Verdict

ORIGIN = {"machine": {"cpu": {"brand_raw": "Made-up CPU"}}, "commit": {"id": "abc"}}


def medians(result):
    """Median seconds by label and case."""
    found = {}
    for benchmark in result.benchmark["benchmarks"]:
        cell = Cell.from_json(benchmark["extra_info"]["cell"])
        found[cell.label, str(cell.case)] = benchmark["stats"]["median"]
    return found


def test_a_pass_measures_every_cell_once_and_says_on_what():
    """Every cell has its time, its error and its group; the JSON is pytest-benchmark's own."""
    cells = [*planned("matmul"), *planned("python_loops"), *planned("matmul", control=True)]
    counted = []
    result = run_pass(cells, "seed", ORIGIN, lambda: counted.append(1))
    assert result.failures == {}
    assert len(counted) == timing.VISITS * len(cells)
    assert len(cells) == len(medians(result)) == 6
    assert all(0 < seconds < 1 for seconds in medians(result).values())
    for benchmark in result.benchmark["benchmarks"]:
        assert 0 <= benchmark["extra_info"]["error"] < 1e-14
        assert benchmark["group"].startswith("shapes ")
        data = benchmark["stats"]["data"]
        assert len(data) == benchmark["stats"]["rounds"]
        assert len(data) + benchmark["extra_info"]["disturbed_rounds"] >= timing.VISITS
        assert benchmark["stats"]["median"] == statistics.median(data)
        info = benchmark["extra_info"]
        timed = sum(data) * benchmark["stats"]["iterations"]
        assert info["timed_seconds"] == pytest.approx(timed)
        assert 0 < info["timed_cpu_seconds"] < 2 * timed
        assert info["warming_seconds"] > 0
        assert info["ran_on"] == {"cpus": processes.cpus_for(1), "threads": [1], "framework": None}
    info = result.benchmark["machine_info"]
    if hasattr(os, "sched_setaffinity"):
        assert info["threads"]["cpus"] == processes.cpus_for(1)
    assert [pool["num_threads"] for pool in info["threads"]["pools"]] == [1]
    assert "node" not in info
    assert result.benchmark["commit_info"] == {"id": "abc"}


@pytest.mark.slow
def test_the_order_is_the_seeds():
    """The same seed gives the same order, another seed another, and neither is the plan's."""
    cells = planned(
        "matmul", Sweep("shapes", "", "", tuple(parse_case(f"{n}x2-2") for n in range(1, 9)))
    )

    def order(seed):
        return list(medians(run_pass(cells, seed, ORIGIN)))

    first = order("a")
    assert order("a") == first
    assert order("b") != first
    assert first != [("matmul", str(p.cell.case)) for p in cells]


@pytest.mark.parametrize(("seconds", "rounds"), [(0.02, 2), (0.04, 2), (0.2, 1), (30.0, 1)])
def test_a_slow_call_is_visited_less_often(seconds, rounds):
    """A cell expected to take long is timed in rounds of one call, as many as there is time for."""
    (one, *_) = planned("matmul", seconds=seconds)
    (benchmark,) = run_pass([one], "seed", ORIGIN).benchmark["benchmarks"]
    made = benchmark["stats"]["rounds"] + benchmark["extra_info"]["disturbed_rounds"]
    assert benchmark["stats"]["iterations"] == 1
    assert rounds <= made <= rounds + MOST_REPEATS


def test_visits_go_in_laps():
    """Every fast cell is visited once in each lap, a slow one in some; each lap is shuffled."""
    eight = Sweep("shapes", "", "", tuple(parse_case(f"{n}x2-2") for n in range(1, 9)))
    fast = planned("matmul", eight)
    slow = planned("python_loops", SMALL, seconds=0.04)
    order = passes.visits([*fast, *slow], random.Random(1), 3)
    assert sorted(order) == sorted([*range(8)] * 3 + [8, 9] * 2)
    fast_laps = [[n for n in order if n < 8][i : i + 8] for i in range(0, 24, 8)]
    assert all(sorted(lap) == [*range(8)] for lap in fast_laps)
    assert len({tuple(lap) for lap in fast_laps}) == 3
    assert sorted(passes.visits(fast, random.Random(1), 2)) == sorted([*range(8)] * 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "deed", "reason"),
    [
        ("raises", "raise ValueError('not\\nthis')", "raised ValueError: not this"),
        ("dies", "os._exit(7)", "exited with status 7"),
        pytest.param("hangs", "time.sleep(1000)", "did not finish within 15 s"),
        (
            "eats",  # more than any machine has
            "sys.path.extend(bytes(2**30) * 2**20 for _ in range(100))",
            "MemoryError",
        ),
        (
            "interrupts",  # as Ctrl-C would
            "raise KeyboardInterrupt",
            "exited with status 1 before it had finished: KeyboardInterrupt",
        ),
        (
            "mumbles",
            "class Mumble(Exception):\n            def __str__(self): raise ValueError\n        "
            "raise Mumble",
            "Mumble",
        ),
        (
            "lies",
            "return np.zeros((len(x), 2))",
            "3x4-4-2 sigmoid float64: worst",
        ),
        (
            "remembers",  # and so is right about the first input that it is given
            "return kept.setdefault(x.shape, plain(x, layers)).copy()",
            "3x4-4-2 sigmoid float64: worst",
        ),
    ],
)
def test_a_contender_that_fails_costs_its_own_cell_only(bad, name, deed, reason):
    """Its other cells and everybody else's are measured all the same."""
    path = bad(name, deed)
    limit = 15 if name == "hangs" else PATIENCE  # seconds in which the others have to start
    result = run_pass([*planned(path), *planned("matmul")], "seed", ORIGIN, stall_seconds=limit)
    wrong = result.failures | result.rejected
    (failed,) = wrong
    assert failed == f"{name}-shapes-3x4-4-2-float64-1"
    assert reason in wrong[failed]
    measured = set(medians(result)) - {(name, "3x4-4-2")}
    assert measured == {(name, "2x3-2"), ("matmul", "2x3-2"), ("matmul", "3x4-4-2")}


@pytest.mark.slow
def test_a_crash_is_laid_at_the_door_of_the_cell_it_happened_in(bad):
    """Whether it comes first or last in the worker, the other cell is measured."""
    path = bad("dies", "os._exit(7)")
    firsts = set()
    for seed in takewhile(lambda _: len(firsts) < 2, "abcdefghijkl"):
        shuffle = random.Random(seed)
        shuffle.sample([0], 1)  # the order of the workers
        firsts.add(passes.visits(planned(path), shuffle)[0])
        result = run_pass(planned(path), seed, ORIGIN)
        assert list(result.failures) == ["dies-shapes-3x4-4-2-float64-1"]
        assert list(medians(result)) == [("dies", "2x3-2")]
    assert len(firsts) == 2


def test_a_result_found_wrong_after_timing_says_so_in_the_file(bad):
    """The time stays in pytest-benchmark's JSON, marked as rejected."""
    cells = planned(bad("lies", "return np.zeros((len(x), 2))"))
    rejected = [
        benchmark["extra_info"].get("rejected", "")
        for benchmark in run_pass(cells, "seed", ORIGIN).benchmark["benchmarks"]
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
    """A worker, its cells' visits, and each slow call once."""
    fast, slow = planned("matmul", seconds=0.001)[0], planned("matmul", seconds=0.5)[0]
    alone = passes.predicted_seconds([fast])
    assert passes.predicted_seconds([fast, slow]) == pytest.approx(alone + 0.5, abs=0.1)


def test_a_pass_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A full disk leaves neither a torn file nor the temporary one."""

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_pass(tmp_path, 1, PassResult({"benchmarks": []}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_did_not_verify_is_not_measured():
    """Its cells are in the plan with their status and reason, and cost no time."""
    verdicts = VERIFIED | {"matmul": Verdict("matmul", "rejected", "worst at [0, 0]")}
    made = plan.make_plan(REQUEST, verdicts)
    assert {p.cell.implementation for p in made.measured} == {"python_loops"}
    assert {(s.cell.implementation, s.status, s.reason) for s in made.skipped} == {
        ("matmul", "rejected", "worst at [0, 0]")
    }


@pytest.mark.slow
def test_what_is_predicted_too_slow_is_left_out_with_its_estimate():
    """A limit that only the smallest case keeps leaves the larger one estimated."""
    sweep = Sweep("square", "", "batch", tuple(parse_case(f"{n}x{n}-{n}") for n in (1, 4, 16, 64)))
    request = Request({"python_loops": "python_loops"}, (sweep,), "python_loops", limit=0.002)
    made = plan.make_plan(request, {"python_loops": Verdict("python_loops", "verified")})
    (skipped,) = made.skipped
    assert str(skipped.cell.case) == "64x64-64"
    assert "over the limit of 0.002 s" in skipped.reason
    seconds, *_ = skipped.estimate
    assert seconds
    assert seconds > 0.002


@pytest.mark.slow
def test_a_contender_that_dies_when_first_called_has_failed(bad):
    """The probe's process is its own; the others are planned."""
    contenders = {"dies": str(bad("dies", "os._exit(7)")), "matmul": "matmul"}
    request = Request(contenders, (SMALL,), "matmul")
    made = plan.make_plan(request, {name: Verdict(name, "verified") for name in contenders})
    assert {s.cell.implementation: s.status for s in made.skipped} == {"dies": "failed"}
    assert {p.cell.implementation for p in made.measured} == {"matmul"}


def test_a_machine_too_small_for_its_ceiling_is_measured_all_the_same(monkeypatch):
    """Without a peak to compare with, nothing is called implausible."""

    def fails(dtype, threads):
        raise processes.ChildError("MemoryError")

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


def test_what_is_imported_and_compiled_counts_once_in_a_process():
    """A pass is predicted with each worker's start, and with each cell's first call."""
    plain = [replace(each, loading_seconds=0.0) for each in planned("matmul")]
    dear = [replace(each, first_seconds=1.0, loading_seconds=2.0) for each in plain]
    extra = predicted_seconds(dear) - predicted_seconds(plain)
    assert extra == pytest.approx(2.0 + len(plain))


def test_what_another_pytest_was_told_does_not_reach_a_worker(monkeypatch):
    """Run from somebody's tests, several at a time, a pass is measured all the same."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--benchmark-disable")
    result = run_pass(planned("matmul"), "seed", {"machine": {"cpu": {}}, "commit": {}})
    assert (result.failures, len(result.benchmark["benchmarks"])) == ({}, len(SMALL.cases))
