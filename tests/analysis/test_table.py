"""The statistics, on injected times with exact answers."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from builders.tables import Times, make, with_table
from forwardbench import results
from forwardbench.analysis import findings
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.estimates import estimated_speedups
from forwardbench.analysis.noise import noise_floor, verdicts
from forwardbench.analysis.rows import is_control, is_credible, is_doubted, slowest_first
from forwardbench.analysis.table import summarize
from forwardbench.outputs import bundle
from forwardbench.statistics.intervals import log_interval


def cell(table, implementation, case):
    """One row of the table."""
    chosen = (table["implementation"] == implementation) & (table["case"] == case)
    (row,) = table[chosen].to_dict("records")
    return row


def test_the_columns_are_those_of_the_design(make_table, ladder):
    """Names and order of the table are a contract."""
    columns = list(make_table(ladder).columns)
    assert columns == COLUMNS == [
        "implementation", "sweep", "case", "batch", "widths", "activation", "dtype", "threads",
        "status", "reason", "passes", "seconds", "seconds_low", "seconds_high", "baseline",
        "speedup", "speedup_low", "speedup_high", "gflops", "error", "machine", "commit",
        "control_of", "credible", "host", "workload",
    ]  # fmt: skip


def test_a_speedup_is_paired_inside_each_pass(make_table):
    """A pass that was slow for everybody changes no ratio and widens no interval."""
    slow_pass = [1.0, 10.0, 1.0]
    table = make_table(
        {
            "python_loops": {"4x4-4": [4e-6 * factor for factor in slow_pass]},
            "matmul": {"4x4-4": [1e-6 * factor for factor in slow_pass]},
        }
    )
    row = cell(table, "matmul", "4x4-4")
    assert row["speedup"] == pytest.approx(4.0)
    assert row["speedup_low"] == pytest.approx(4.0)
    assert row["speedup_high"] == pytest.approx(4.0)
    assert row["seconds_high"] > 5 * row["seconds"]


def test_the_times_of_passes_go_with_the_row(make_bundle):
    """One for each pass of the run, NaN where a pass has none; nothing where none has."""
    times = {"matmul": {"4x4-4": [1.0, None, 2.0]}, "python_loops": {"4x4-4": ["ValueError"]}}
    whole = make_bundle(times)
    passes = dict(zip(whole.table["implementation"], whole.evidence.passes, strict=True))
    first, missing, last = passes["matmul"]
    assert (first, last) == (1.0, 2.0)
    assert math.isnan(missing)
    assert passes["python_loops"] == ()


def test_speedup_and_interval_have_exact_values(make_table):
    """Ratios 2, 4 and 8: centre 4, half-width t(2) * ln 2 / sqrt 3 in the log."""
    table = make_table(
        {"python_loops": {"4x4-4": [2.0, 4.0, 8.0]}, "matmul": {"4x4-4": [1.0, 1.0, 1.0]}}
    )
    row = cell(table, "matmul", "4x4-4")
    half_width = 4.302652729911275 * math.log(2) / math.sqrt(3)
    assert row["speedup"] == pytest.approx(4.0)
    assert row["speedup_low"] == pytest.approx(4 * math.exp(-half_width))
    assert row["speedup_high"] == pytest.approx(4 * math.exp(half_width))
    assert row["seconds"] == row["seconds_low"] == row["seconds_high"] == 1.0
    assert row["gflops"] == pytest.approx(2 * 64 / 1e9)
    assert row["passes"] == 3
    assert row["error"] == 1e-16
    assert row["machine"] == "Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test"
    assert row["commit"] == "0123456789"


def test_only_passes_with_both_times_are_paired(make_table):
    """A pass in which one of the two is missing is left out of the ratio."""
    table = make_table(
        {"python_loops": {"4x4-4": [2.0, None, 8.0]}, "matmul": {"4x4-4": [1.0, 1.0]}}
    )
    row = cell(table, "matmul", "4x4-4")
    assert (row["speedup"], row["passes"]) == (2.0, 2)
    assert math.isnan(row["speedup_low"])


def test_the_interval_of_a_speedup_covers_the_truth():
    """Over 4,000 simulated runs with drift between passes, 93 to 97 % of intervals hold."""
    generator = np.random.default_rng(20)
    held = 0
    for _ in range(4000):
        drift = generator.normal(0, 0.5, 10)
        ours, theirs = (np.exp(drift + generator.normal(0, 0.05, 10)) for _ in range(2))
        interval = log_interval((3.0 * theirs / ours).tolist())
        held += interval.low <= 3.0 <= interval.high
    assert 0.93 <= held / 4000 <= 0.97


def test_the_baseline_is_once_as_fast_as_itself(make_table, ladder):
    """Its ratio is 1 by definition, and a control's is relative to what it repeats."""
    table = make_table(ladder)
    row = cell(table, "python_loops", "4x4-4")
    assert (row["speedup"], row["speedup_low"], row["speedup_high"]) == (1, 1, 1)
    control = cell(table, "python_loops (control)", "4x4-4")
    assert control["baseline"] == "python_loops"
    assert control["speedup"] == pytest.approx((1 * 1.02 * 0.99 / 1.01 / 1.02 / 0.98) ** (1 / 3))


def test_another_baseline_may_be_asked_for(make_table, ladder):
    """The same samples give ratios to any implementation that was measured."""
    table = make_table(ladder, asked_baseline="matmul")
    assert cell(table, "matmul", "64x64-64")["speedup"] == 1
    row = cell(table, "python_loops", "64x64-64")
    assert row["baseline"] == "matmul"
    assert row["speedup"] == pytest.approx(2e-5 / 8e-3, rel=0.02)


def test_without_a_measured_baseline_there_is_no_speedup(make_table):
    """Empty means not known: an estimate is never divided by."""
    table = make_table(
        {"matmul": {"1024x1024-1024": [0.04, 0.05]}},
        skipped={("python_loops", "1024x1024-1024"): (30.0, 25.0, 36.0)},
    )
    assert math.isnan(cell(table, "matmul", "1024x1024-1024")["speedup"])
    row = cell(table, "python_loops", "1024x1024-1024")
    assert (row["status"], row["passes"]) == ("estimated", 0)
    assert (row["seconds"], row["seconds_low"], row["seconds_high"]) == (30, 25, 36)
    assert math.isnan(row["gflops"])


def test_guessed_speedups_are_kept_apart(make_table):
    """The ratio to an estimate has an interval that joins the far ends of both."""
    table = make_table(
        {"matmul": {"1024x1024-1024": [0.04, 0.04]}, "python_loops": {"1x1-1": [1e-6, 1e-6]}},
        skipped={("python_loops", "1024x1024-1024"): (30.0, 20.0, 40.0)},
    )
    guesses = estimated_speedups(table).assign(name=table["implementation"])
    row = guesses[guesses["name"] == "matmul"].iloc[0]
    assert (row["guess"], row["guess_low"], row["guess_high"]) == pytest.approx((750, 500, 1000))
    assert guesses[table["case"] == "1x1-1"]["guess"].isna().all()


def test_estimates_are_refined_from_the_sizes_measured(make_table):
    """With four sizes or more, the fit over the run replaces the first guess."""
    cases = ["8x8-8", "16x16-16", "32x32-32", "64x64-64", "128x128-128"]
    times = {case: [1e-6 + 3e-8 * int(case.split("x")[0]) ** 3] * 2 for case in cases}
    skipped = {("python_loops", "512x512-512"): (9.0, None, None)}
    row = cell(make_table({"python_loops": times}, skipped=skipped), "python_loops", "512x512-512")
    assert row["status"] == "estimated"
    assert row["seconds"] == pytest.approx(1e-6 + 3e-8 * 512**3, rel=1e-3)
    assert row["seconds_low"] <= row["seconds"] <= row["seconds_high"]


def test_one_estimate_is_not_refined_from_unrelated_cases(make_table):
    """Worked examples follow no common curve: their own prediction stands."""
    times = {case: [1e-3] * 2 for case in ("1x2-3", "1x2-2", "3x4-2")}
    skipped = {("python_loops", "10000x3-1"): (9.0, 8.0, 10.0)}
    table = make_table({"python_loops": times}, skipped=skipped, sweep="course")
    assert cell(table, "python_loops", "10000x3-1")["seconds"] == 9.0


def test_a_cell_that_failed_in_one_pass_has_failed(make_table):
    """Its times from other passes are not shown as if nothing had happened."""
    table = make_table(
        {"python_loops": {"4x4-4": [2.0, 2.0]}, "matmul": {"4x4-4": [1.0, "ValueError: no"]}}
    )
    row = cell(table, "matmul", "4x4-4")
    assert (row["status"], row["reason"]) == ("failed", "ValueError: no")
    assert math.isnan(row["seconds"])


def controls(ratios, highs=None, passes=1):
    """Rows of controls with these ratios to what they repeat."""
    highs = [math.nan] * len(ratios) if highs is None else highs
    return pd.DataFrame(
        {
            "implementation": "a (control)", "control_of": "a", "baseline": "a", "passes": passes,
            "speedup": ratios, "speedup_high": highs,
        }
    )  # fmt: skip


def test_the_noise_floor_is_the_spread_of_controls_around_one():
    """Log ratios of +-0.1: their root mean square times t, with two degrees of freedom."""
    table = controls([math.e**0.1, math.e**-0.1])
    assert noise_floor(table) == pytest.approx(math.exp(0.1 * 4.302652729911275))
    others = table.assign(control_of="")
    assert math.isnan(noise_floor(others))


def test_passes_behind_a_control_say_more_of_the_noise():
    """One control, ten passes: t with 10 degrees of freedom; or its interval, if that is wider."""
    narrow = controls([math.e**0.1], [math.e**0.11], passes=10)
    assert noise_floor(narrow) == pytest.approx(math.exp(0.1 * 2.2281388519649385))
    wide = controls([math.e**0.1], [math.e**0.5], passes=10)
    assert noise_floor(wide) == pytest.approx(math.exp(0.4))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 8, 28])
def test_the_noise_floor_holds_95_percent_of_identical_code(count):
    """Simulated runs of ten passes: of new ratios of identical code, 94 % or more lie within."""
    generator = np.random.default_rng(4)
    held = []
    for _ in range(400):
        runs = np.exp(generator.normal(0, 0.03, (count + 1, 10)))
        intervals = [log_interval(run) for run in runs]
        seen = controls([i.centre for i in intervals[1:]], [i.high for i in intervals[1:]], 10)
        floor = math.log(noise_floor(seen))
        held.append(abs(math.log(intervals[0].centre)) <= floor)
    assert 0.94 <= np.mean(held) < 1


def test_a_time_beyond_the_machines_peak_is_not_believed(make_table):
    """100 GFLOP/s on a machine that reaches 50 is implausible, and 60 is a fast clock."""
    flops = 2 * 64**3
    times = {
        "python_loops": {"64x64-64": [8e-3, 8e-3]},
        "cached": {"64x64-64": [flops / 100e9] * 2},
        "matmul": {"64x64-64": [flops / 60e9] * 2},
    }
    ceilings = [{"dtype": "float64", "threads": 1, "gflops": 50.0, "bytes_per_second": 1e10}]
    table = make_table(times, ceilings=ceilings)
    row = cell(table, "cached", "64x64-64")
    assert row["reason"] == "implausible: 100 GFLOP/s where this machine reached 50"
    assert row["status"] == "measured"
    assert cell(table, "matmul", "64x64-64")["reason"] == ""
    assert is_credible(table).tolist() == [True, False, True]


def test_a_gpu_is_not_bound_by_what_the_cpu_reaches(write_run):
    """A run says what computed on one; that, and its control, may be faster than the peak."""
    flops = 2 * 64**3
    fast = {"64x64-64": [flops / 900e9] * 2}
    times = {"matmul": {"64x64-64": [1e-3] * 2}, "ours": fast, "ours (control)": fast}
    ceilings = [{"dtype": "float64", "threads": 1, "gflops": 50.0, "bytes_per_second": 1e10}]
    folder = write_run(times | {"other": fast}, ceilings=ceilings, baseline="matmul")
    run = json.loads((folder / "run.json").read_text())
    run["environment"] = {"on_gpu": ["ours"]}
    (folder / "run.json").write_text(json.dumps(run))
    table = summarize(results.load(folder)).set_index("implementation")
    assert table["reason"].str.startswith("implausible").to_dict() == {
        "matmul": False, "ours": False, "ours (control)": False, "other": True,
    }  # fmt: skip


def test_memory_is_read_no_faster_than_it_moves(make_table):
    """134 MB of weights in 1 ms are 134 GB/s: too much for a machine that moves 20."""
    times = {"matmul": {"1x4096-4096": [1e-3, 1e-3]}, "slow": {"1x4096-4096": [7e-3, 7e-3]}}
    ceilings = [{"dtype": "float64", "threads": 1, "gflops": 50.0, "bytes_per_second": 2e10}]
    table = make_table(times, sweep="sample", ceilings=ceilings)
    assert cell(table, "matmul", "1x4096-4096")["reason"] == (
        "implausible: 134 GB/s where this machine moved 20"
    )
    assert cell(table, "slow", "1x4096-4096")["reason"] == ""


@pytest.mark.parametrize("name", ["mine (control)", "python_loops (control)"])
def test_a_users_name_is_not_taken_for_a_control(write_run, name):
    """A cell says itself whether it is a control; what somebody calls it says nothing."""
    folder = write_run({"python_loops": {"4x4-4": [1.0, 1.0]}, "matmul": {"4x4-4": [0.5, 0.5]}})
    for path in folder.glob("*.json"):
        document = path.read_text()
        path.write_text(
            document.replace('"implementation": "matmul"', f'"implementation": "{name}"')
        )
    whole = bundle.load(folder)
    row = cell(whole.table, name, "4x4-4")
    assert not is_control(whole.table).any()
    assert (row["control_of"], row["baseline"], row["speedup"]) == ("", "python_loops", 2.0)
    assert math.isnan(noise_floor(whole.table))
    assert findings.noise_sentence(whole.table) == ""
    assert slowest_first(whole.table) == ["python_loops", name]
    assert findings.finding(whole.table, whole.evidence).startswith(f"{name} is 2.00 times faster")


def test_a_reason_does_not_make_a_time_doubtful():
    """Only the column says what is credible: a reason is text for people."""
    times = {"python_loops": {"4x4-4": [1.0] * 3}, "matmul": {"4x4-4": [0.5] * 3}}
    whole = make(times)
    said = with_table(whole, reason="implausible: 9 GFLOP/s where this machine reached 1")
    assert is_credible(said.table).all()
    assert not is_doubted(said.table).any()
    assert findings.problems(said.table) == []
    assert findings.finding(said.table, said.evidence) == (
        findings.finding(whole.table, whole.evidence)
    )
    assert verdicts(said.table).tolist() == verdicts(whole.table).tolist() == ["", "faster"]
    doubted = with_table(whole, credible=whole.table["implementation"] != "matmul")
    assert set(doubted.table["reason"]) == {""}
    assert findings.problems(doubted.table) == ["matmul: 1 cell not credible, first 4x4-4"]


def test_implementations_are_ordered_by_their_largest_case(make_table, ladder):
    """Slowest first, estimates included, controls left out."""
    assert slowest_first(make_table(ladder)) == ["python_loops", "matmul", "ndarray_loops"]


def test_a_rejected_time_is_no_baseline(write_run):
    """A ratio to a time that was found wrong, or to a cell that failed later, is not shown."""
    folder = write_run({"python_loops": {"4x4-4": [2.0, 2.0]}, "matmul": {"4x4-4": [1.0, 1.0]}})
    path = folder / "pass-002.json"
    document = json.loads(path.read_text())
    for entry in document["benchmarks"]:
        if entry["extra_info"]["cell"]["implementation"] == "python_loops":
            entry["extra_info"]["rejected"] = "worst at [0, 0]"
    path.write_text(json.dumps(document))
    table = summarize(results.load(folder))
    assert cell(table, "python_loops", "4x4-4")["status"] == "rejected"
    assert math.isnan(cell(table, "matmul", "4x4-4")["speedup"])


def test_troubles_name_each_implementation_once(make_table):
    """What failed, what is not believed, and why; what was only too slow is no trouble."""
    times = {
        "python_loops": {"64x64-64": [8e-3, 8e-3], "1x1-1": [1e-6, 1e-6]},
        "cached": {"64x64-64": [1e-9, 1e-9]},
        "broken": {"64x64-64": ["ValueError: no", None], "1x1-1": ["ValueError: no", None]},
    }
    ceilings = [{"dtype": "float64", "threads": 1, "gflops": 50.0, "bytes_per_second": 1e10}]
    skipped = {("slow", "64x64-64"): (9.0, None, None)}
    assert findings.problems(make_table(times, ceilings=ceilings, skipped=skipped)) == [
        "cached: 1 cell not credible, first 64x64-64: implausible: 524,288 GFLOP/s where this "
        "machine reached 50",
        "broken: 2 cells failed, first 64x64-64: ValueError: no",
    ]


def test_many_troubles_are_counted():
    """Twenty implementations have a line; one line counts the others and their cells."""
    failed = ("failed", "ValueError: shapes do not fit")
    names = [f"rung_{number:02d}" for number in range(23)]
    times: Times = {
        "python_loops": {"4x4-4": [1.0] * 3},
        **{name: {"4x4-4": failed} for name in names},
    }
    lines = findings.problems(make(times).table)
    assert len(lines) == 21
    assert lines[19] == "rung_19: 1 cell failed, first 4x4-4: ValueError: shapes do not fit"
    assert lines[20] == "3 more implementations: 3 cells with no time or none credible"


def test_a_difference_is_shown_only_outside_the_noise(make_table):
    """Outside the interval and the noise floor both: inside either, no difference is shown."""
    steady, wild = (1.0, 1.001, 0.999, 1.0), (1.0, 1.9, 0.6, 1.1)
    times = {
        "python_loops": {"4x4-4": [1e-6 * factor for factor in steady]},
        "python_loops (control)": {"4x4-4": [1e-6 * (1.01 + factor - 1) for factor in steady]},
        "clearly_faster": {"4x4-4": [5e-7 * factor for factor in steady]},
        "clearly_slower": {"4x4-4": [2e-6 * factor for factor in steady]},
        "within_the_floor": {"4x4-4": [1.02e-6 * factor for factor in steady]},
        "within_its_interval": {"4x4-4": [7e-7 * factor for factor in wild]},
        "once": {"4x4-4": [5e-7]},
    }
    table = make_table(times)
    assert 1.02 < noise_floor(table) < 1.05
    assert dict(zip(table["implementation"], verdicts(table), strict=True)) == {
        "python_loops": "",
        "python_loops (control)": "no difference shown",
        "clearly_faster": "faster",
        "clearly_slower": "slower",
        "within_the_floor": "no difference shown",
        "within_its_interval": "no difference shown",
        "once": "",
    }
