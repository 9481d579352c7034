"""Warnings: each names the next thing to do, and a quiet run has none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forwardbench import results
from forwardbench.analysis.table import summarize
from forwardbench.analysis.warnings import warnings_of
from forwardbench.results import Circumstances

QUIET = Circumstances(
    governor="performance",
    timer_step=4e-8,
    shortest_round=1e-3,
    others=0.02,
    stolen=0.0,
    busiest="",
    busiest_cpus=0.0,
    unenforced="",
    lost={},
)
RUN = Path("results/run-1")
STEADY = (1.0, 1.001, 0.999, 1.0, 1.0005, 0.9995)


@pytest.fixture
def warn(make_bundle):
    """The warnings of a run written with `write_run`, made in some circumstances."""

    def of(times, circumstances=QUIET, run=RUN, **options):
        whole = make_bundle(times, **options)
        return warnings_of(replace(whole.results, circumstances=circumstances), whole.table, run)

    return of


def ladder(control=1.0, passes=6):
    """Times of loops, their control and matmul at one size."""
    factors = STEADY[:passes]
    return {
        "python_loops": {"64x64-64": [8e-3 * factor for factor in factors]},
        "python_loops (control)": {"64x64-64": [8e-3 * control * factor for factor in factors]},
        "matmul": {"64x64-64": [2e-5 / factor for factor in factors]},
    }


def test_a_quiet_run_is_not_doubted(warn):
    """Enough passes, controls that agree, nobody else busy: no warning."""
    assert warn(ladder()) == []
    unknown = replace(QUIET, governor="", timer_step=float("nan"), others=float("nan"))
    assert warn(ladder(), unknown, name="other") == []


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            {"others": 0.4, "busiest": "firefox", "busiest_cpus": 0.31},
            "Busy: other programs kept 0.4 CPUs busy meanwhile, firefox up to 0.31: end them and "
            "run again",
        ),
        (
            {"stolen": 0.12},
            "Stolen time: the host of this virtual machine gave 0.12 CPUs to somebody else "
            "meanwhile: trust ratios rather than seconds, or run again later",
        ),
        (
            {"governor": "powersave"},
            "The CPU frequency governor is powersave, so clocks vary: sudo cpupower frequency-set "
            "--governor performance",
        ),
        (
            {"timer_step": 1e-3},
            "The timer's step is 1.00 ms, coarse for rounds of 1.00 ms: trust larger cases only",
        ),
        (
            {"unenforced": "mine was asked to use 1 threads and was set to 2"},
            "Not enforced: mine was asked to use 1 threads and was set to 2: compare only what ran "
            "alike, or set the number of threads inside the implementation",
        ),
        (
            {"lost": {"python_loops": 0.07, "matmul": 0.5}},
            "python_loops lost 7% of its time to other programs, which fast calls escape: speedups "
            "over it come out too large: end other programs and run again",
        ),
    ],
    ids=["busy", "stolen", "governor", "timer", "threads", "lost"],
)
def test_what_disturbed_a_run_is_said_with_what_to_do(warn, change, warning):
    """Each circumstance alone gives its one line."""
    assert warn(ladder(), replace(QUIET, **change)) == [warning]


def test_controls_that_disagree_mean_noise(warn):
    """A control 10 percent off is more than the noise of a quiet machine."""
    assert warn(ladder(control=1.1)) == [
        # log 1.1 times t with 1 control and 5 passes' degrees of freedom, 2.447: 26 %
        "Noisy: ratios of identical code are expected up to 26 % from 1; on a quieter machine, or "
        "with more passes, less is noise: forwardbench run --resume results/run-1 --passes 20"
    ]


def test_few_passes_are_little_evidence(warn):
    """From five passes on there is no warning; a single file cannot be resumed."""
    assert warn(ladder(passes=5)) == []
    assert warn(ladder(passes=4), name="four") == [
        "Only 4 passes, so little is known of how sure this is: forwardbench run --resume "
        "results/run-1 --passes 10"
    ]
    (line,) = warn(ladder(passes=1), run=None, name="one")
    assert line == "Only 1 pass, so nothing is known of how sure this is: measure again"


def test_times_beyond_the_machines_peak_are_counted(warn):
    """26 GFLOP/s where the machine reached 5."""
    peak = {"dtype": "float64", "threads": 1, "gflops": 5, "bytes_per_second": 1e10}
    (line,) = warn(ladder(), ceilings=[peak])
    assert line.startswith("1 cell is faster than this machine's measured peak")


def test_circumstances_come_from_the_passes(write_run):
    """Averages over the passes by their length, the busiest process of any, threads asked for."""
    folder = write_run(ladder(passes=2))
    run = json.loads((folder / "run.json").read_text())
    run["environment"] = {"timer_step": 3e-8}
    (folder / "run.json").write_text(json.dumps(run))
    for number, seconds, others, name in ((1, 1.0, 0.4, "cc1"), (2, 3.0, 0.0, "")):
        path = folder / f"pass-{number:03d}.json"
        one = json.loads(path.read_text())
        one["machine_info"]["governor"] = "powersave"
        one["meanwhile"] = {
            "seconds": seconds, "others": others, "stolen": 0.0, "load_before": 1.0,
            "busiest": name, "busiest_cpus": others,
        }  # fmt: skip
        for benchmark in one["benchmarks"]:
            benchmark["extra_info"]["ran_on"] = {"cpus": [0], "threads": [2]}
            share = 0.9 if "loops" in benchmark["extra_info"]["cell"]["implementation"] else 1.0
            benchmark["extra_info"]["timed_seconds"] = 0.5
            benchmark["extra_info"]["timed_cpu_seconds"] = 0.5 * share
        path.write_text(json.dumps(one))
    found = results.load(folder).circumstances
    approx: Any = pytest.approx  # in the place of a number
    assert found == Circumstances(
        governor="powersave",
        timer_step=3e-8,
        shortest_round=approx(2e-5, rel=0.01),
        others=approx(0.1),
        stolen=0.0,
        busiest="cc1",
        busiest_cpus=0.4,
        unenforced="python_loops was asked to use 1 threads and was set to 2 "
        "(and 1 more of the kind)",
        lost={"python_loops": approx(0.1), "matmul": approx(0.0)},
    )


def with_extra_info(folder, **info):
    """Add to what every cell of a run has in its passes; a list holds one value a pass."""
    for number, path in enumerate(sorted(folder.glob("pass-*.json"))):
        one = json.loads(path.read_text())
        for benchmark in one["benchmarks"]:
            for name, value in info.items():
                here = value[number] if isinstance(value, list) else value
                benchmark["extra_info"][name] = here
        path.write_text(json.dumps(one))


@pytest.mark.parametrize(
    ("framework", "said"),
    [
        (None, ""),
        (1, ""),
        (
            2,
            "the framework of python_loops was asked to use 1 threads and says that it uses 2",
        ),
    ],
)
def test_what_a_framework_says_of_its_threads_is_compared(write_run, framework, said):
    """Where it can be asked, it must say what was asked for, even if no pool is visible."""
    folder = write_run(ladder(passes=2))
    with_extra_info(folder, ran_on={"cpus": [0], "threads": [1], "framework": framework})
    assert results.load(folder).circumstances.unenforced.partition(" (and ")[0] == said


@pytest.mark.parametrize(
    ("cpu_seconds", "threads", "said"),
    [
        ([0.6, 0.62, 0.6], 1, ""),
        ([0.6, 0.6, 2.0], 1, ""),  # once is an accident
        ([2.0], 1, ""),
        ([0.6, 2.0], 1, ""),
        (
            [0.95, 0.6, 0.9],
            1,
            "python_loops was asked to use 1 CPUs and kept 1.8 busy at 64x64-64",
        ),
        ([0.95, 1.0, 1.0], 2, ""),
        (
            [1.4, 1.5, 1.6],
            2,
            "python_loops was asked to use 2 CPUs and kept 3 busy at 64x64-64",
        ),
    ],
)
def test_more_cpu_time_than_the_threads_explain_is_said(write_run, cpu_seconds, threads, said):
    """What a cell keeps busy, in most of its passes, is no more than a quarter above."""
    folder = write_run(ladder(passes=len(cpu_seconds)), threads=threads)
    with_extra_info(folder, timed_seconds=0.5, timed_cpu_seconds=cpu_seconds)
    assert results.load(folder).circumstances.unenforced.partition(" (and ")[0] == said


def test_the_level_of_intervals_is_the_runs(write_run):
    """A run that looked until it was precise has wider intervals than one that did not."""
    folder = write_run(ladder())
    narrow = summarize(results.load(folder))
    run = json.loads((folder / "run.json").read_text())
    run["request"]["precision"] = 0.02
    (folder / "run.json").write_text(json.dumps(run))
    wide = summarize(results.load(folder))
    own = narrow["implementation"] == "matmul"
    assert (wide[own]["speedup_high"] > narrow[own]["speedup_high"]).all()
    assert (wide[own]["speedup_low"] < narrow[own]["speedup_low"]).all()
