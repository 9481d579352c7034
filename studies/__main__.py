"""Time identical code with several tools, in one session, and write down what each makes of it.

    python studies             # about 20 minutes on an otherwise idle machine
    python studies --quick     # a rehearsal
    python studies --write     # keeps results/methods.json and the table in docs/method.md

Needs the extra `methods`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import page
from cells import LABELS, NAMES, RUNGS, SHAPES
from scipy import stats

from forwardbench.cases import parse_case
from forwardbench.implementations import load
from forwardbench.measure import threads
from forwardbench.measure.passes import PlannedCell, predicted_seconds, run_pass
from forwardbench.measure.probe import predict
from forwardbench.measure.watch import Watch, describe_machine
from forwardbench.records import Cell
from forwardbench.statistics.intervals import log_interval
from forwardbench.verification.verify import verify_all

HERE = Path(__file__).parent
ROOT = HERE.parent
PASSES = 10
PATHS = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
ENVIRONMENT = {**os.environ, **threads.environment(1), "PYTHONPATH": PATHS}


def on_one_cpu():
    """Give every tool what forwardbench gives its workers: one CPU and one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, threads.cpus_for(1))


def start(*command, **options):
    """Run a command in the same conditions as all others, and return what it printed."""
    done = subprocess.run(
        list(map(str, command)), env=ENVIRONMENT, preexec_fn=on_one_cpu, text=True,
        capture_output=True, **options,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def welch(first, second):
    """Ratio of two samples' geometric means, with the half-width of its 95 % interval."""
    test = stats.ttest_ind(np.log(first), np.log(second), equal_var=False)
    interval = test.confidence_interval()
    return float(np.exp((interval.low + interval.high) / 2)), float(
        np.expm1((interval.high - interval.low) / 2)
    )


def verdict(ratio, half_width, different):
    """What a tool says of one pair."""
    return {"ratio": ratio, "half_width": half_width, "different": bool(different)}


# --- the tools ---------------------------------------------------------------------------


def with_pytest_benchmark(folder):
    """One run; having no test of its own, its samples are compared with Welch's."""
    out = folder / "pytest.json"
    start(sys.executable, "-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={HERE}",
          "-pno:cacheprovider", f"--benchmark-json={out}", "--benchmark-only",
          HERE / "with_pytest_benchmark.py")  # fmt: skip
    samples = {
        tuple(each["extra_info"]["pair"]): each["stats"]["data"]
        for each in json.loads(out.read_text())["benchmarks"]
    }
    found = {}
    for name in NAMES:
        ratio, half_width = welch(*(samples[name, label] for label in LABELS))
        found[name] = verdict(
            ratio, half_width, not 1 / (1 + half_width) <= ratio <= 1 + half_width
        )
    return found


def with_asv(folder):
    """One run in this environment, judged as `asv continuous` does.

    Different is what Mann-Whitney's test says at p < 0.002; a change is reported only if it is
    larger than a factor of 1.1 as well.
    """
    from asv._stats import is_different

    shutil.copytree(HERE / "asv_suite", folder / "suite")
    (folder / "cells.py").write_text((HERE / "cells.py").read_text())
    config = {
        "version": 1, "project": "identical", "repo": str(ROOT), "branches": ["HEAD"],
        "benchmark_dir": str(folder / "suite"), "results_dir": str(folder / "results"),
        "env_dir": str(folder / "env"), "environment_type": "virtualenv",
        "html_dir": str(folder / "html"),
    }  # fmt: skip
    (folder / "asv.conf.json").write_text(json.dumps(config))
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    asv = [sys.executable, "-m", "asv"]
    start(*asv, "machine", "--yes", cwd=folder)
    start(*asv, "run", "--python=same", "--set-commit-hash", commit, "--record-samples", cwd=folder)
    (path,) = folder.glob(f"results/*/{commit[:8]}-*.json")
    document = json.loads(path.read_text())
    (entry,) = document["results"].values()
    columns = dict(zip(document["result_columns"], entry, strict=False))
    keys = [(name, label) for name in NAMES for label in LABELS]
    rows = {}
    for place, key in enumerate(keys):
        low, high = columns["stats_ci_99_a"][place], columns["stats_ci_99_b"][place]
        quarters = {"q_25": columns["stats_q_25"][place], "q_75": columns["stats_q_75"][place]}
        rows[key] = {
            "result": columns["result"][place],
            "samples": columns["samples"][place],
            "stats": {"ci_99_a": low, "ci_99_b": high, **quarters},
        }
    found = {}
    for name in NAMES:
        first, second = (rows[name, label] for label in LABELS)
        different = is_different(
            first["samples"], second["samples"], first["stats"], second["stats"]
        )
        _, half_width = welch(first["samples"], second["samples"])
        ratio = first["result"] / second["result"]
        found[name] = verdict(ratio, half_width, different)
        found[name]["reported"] = bool(different and not 1 / 1.1 <= ratio <= 1.1)
    return found


def with_pyperf(folder):
    """Twenty processes each, judged as `pyperf compare_to` does: Student's t at 95 %."""
    import pyperf
    from pyperf._utils import is_significant

    out = folder / "pyperf.json"
    start(sys.executable, HERE / "with_pyperf.py", "--quiet", f"--output={out}",
          "--inherit-environ", ",".join((*threads.VARIABLES, "PYTHONPATH")))  # fmt: skip
    suite = pyperf.BenchmarkSuite.load(str(out))
    found = {}
    for name in NAMES:
        first, second = (suite.get_benchmark(f"{name} {label}").get_values() for label in LABELS)
        _, half_width = welch(first, second)
        significant, _ = is_significant(first, second)
        found[name] = verdict(np.mean(first) / np.mean(second), half_width, significant)
    return found


def with_perfplot(folder):
    """The shortest time of each: a ratio without any statement on how sure it is."""
    seconds = json.loads(start(sys.executable, HERE / "with_perfplot.py"))
    return {name: {"ratio": seconds[f"{name} first"] / seconds[f"{name} second"]} for name in NAMES}


def plan():
    """Make the plan of forwardbench: each cell, and its control."""
    planned = []
    for rung in RUNGS:
        for shape in SHAPES:
            cell = Cell(rung, rung, "shapes", parse_case(shape))
            seconds = predict(load(rung), [cell.case], 1.0)[cell.case].seconds
            planned += [
                PlannedCell(cell, seconds),
                PlannedCell(replace(cell, control=True), seconds),
            ]
    return planned


def with_forwardbench(seed, machine, compare):
    """Verify, plan, and make ten passes, judged by whether the interval holds 1.

    Returns what it says of each pair, the seconds that all of it took, what was announced for
    the passes and what they took, and, if asked to ``compare``, its seconds over those of a
    plain loop by name: after each pass the plain loop gets its turn.
    """
    begin = time.perf_counter()
    for each in verify_all(RUNGS):
        if each.status != "verified":
            sys.exit(f"{each}")
    planned = plan()
    before, announced = time.perf_counter() - begin, PASSES * predicted_seconds(planned)
    times, plain, taken = {}, {}, 0.0
    for number in range(PASSES):
        begin = time.perf_counter()
        result = run_pass(planned, f"{seed}/{number}", {"machine": machine, "commit": {}})
        taken += time.perf_counter() - begin
        if result.failures:
            sys.exit(f"cells failed: {result.failures}")
        for benchmark in result.benchmark["benchmarks"]:
            cell = Cell.from_json(benchmark["extra_info"]["cell"])
            name = f"{cell.implementation} {cell.case}"
            times.setdefault((name, cell.control), []).append(benchmark["stats"]["median"])
        if compare:
            printed = start(sys.executable, HERE / "independent.py")
            for name, seconds in json.loads(printed).items():
                plain.setdefault(name, []).append(seconds)
    found = {}
    for name in NAMES:
        interval = log_interval(np.divide(times[name, True], times[name, False]))
        different = not interval.low <= 1 <= interval.high
        found[name] = verdict(interval.centre, interval.half_width, different)
    agreement = {
        name: log_interval(times[name, False]).centre / log_interval(each).centre
        for name, each in plain.items()
    }
    return found, before + taken, announced, taken, agreement


# --- all of them --------------------------------------------------------------------------

TOOLS = {
    "pytest-benchmark": (with_pytest_benchmark, 3, "one run; Welch's test on its rounds, p < 0.05"),
    "asv": (with_asv, 3, "one run; its own test, p < 0.002"),
    "perfplot": (with_perfplot, 3, "keeps the shortest time; no test"),
    "pyperf": (with_pyperf, 1, "20 processes; its own test, p < 0.05"),
}
"""How each is run, how often, and how its verdict comes about."""
DISTURBED = ("pytest-benchmark", "asv", "perfplot")
"""Run once more beside a busy neighbour; pyperf's six minutes are spared."""
FORWARDBENCH = "10 passes; 95 % interval of the paired ratio"


NEIGHBOUR = """
import time
while True:
    end = time.perf_counter() + 0.03
    while time.perf_counter() < end:
        pass
    time.sleep(0.07)
"""
"""Another program that wants every CPU for 30 of each 100 ms."""


@contextmanager
def neighbours():
    """Run one such program for each CPU meanwhile."""
    command = [sys.executable, "-c", NEIGHBOUR]
    running = [subprocess.Popen(command) for _ in threads.available_cpus()]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure_tool(name, repeats):
    """Run a tool several times and gather what it says."""
    tool, _, how = TOOLS[name]
    found, seconds = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            found += list(tool(Path(folder)).values())
            seconds.append(time.perf_counter() - begin)
        print(name, f"{seconds[-1]:.0f} s", flush=True)
    return {"tool": name, "version": metadata.version(name), "how": how,
            "seconds": float(np.mean(seconds)), "pairs": found}  # fmt: skip


def measure_forwardbench(repeats, compared, machine):
    """Run forwardbench several times; the first ``compared`` times beside a plain loop."""
    found, seconds, announced, taken, agreement = [], [], [], [], []
    for seed in range(repeats):
        pairs, spent, said, took, ratios = with_forwardbench(seed, machine, seed < compared)
        found += list(pairs.values())
        seconds.append(spent)
        announced.append(said)
        taken.append(took)
        agreement += [{"cell": name, "ratio": ratio} for name, ratio in ratios.items()]
        print("forwardbench", f"{spent:.1f} s", flush=True)
    method = {"tool": "forwardbench", "version": metadata.version("forwardbench"),
              "how": FORWARDBENCH, "seconds": float(np.mean(seconds)), "pairs": found}  # fmt: skip
    return method, {"announced": announced, "taken": taken, "agreement": agreement}


def main():
    """Run every tool and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="each tool once, pyperf left out")
    parser.add_argument("--write", action="store_true", help="keep the figures and the page")
    options = parser.parse_args()
    machine, watch = describe_machine(), Watch()
    names = [name for name in TOOLS if not (options.quick and name == "pyperf")]
    methods = [measure_tool(name, 1 if options.quick else TOOLS[name][1]) for name in names]
    own, figures = measure_forwardbench(*((1, 1) if options.quick else (9, 4)), machine)
    quiet = watch.report()
    with neighbours():
        watch = Watch()
        disturbed = [] if options.quick else [measure_tool(name, 1) for name in DISTURBED]
        busy, _ = measure_forwardbench(1 if options.quick else 4, 0, machine)
        loud = watch.report()
    figures = {
        "machine": f"{machine['cpu'].get('brand_raw')}, {machine['cpu'].get('count')} CPUs, "
        f"{machine['virtual'] or 'no virtual machine'}, Python {machine['python_version']}, "
        f"NumPy {metadata.version('numpy')}",
        "date": time.strftime("%Y-%m-%d"),
        "meanwhile": quiet,
        "methods": [*methods, own],
        "disturbed": {"meanwhile": loud, "methods": [*disturbed, busy]},
        **figures,
    }
    print(page.tables(figures))
    if options.write:
        page.keep(figures)


main()
