"""Time identical code with several tools, in one session, and write down what each makes of it.

    python tests/methods             # about 20 minutes on an otherwise idle machine
    python tests/methods --quick     # a rehearsal
    python tests/methods --write     # keeps results/methods.json and the table in docs/method.md

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
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import page
from cells import LABELS, NAMES, RUNGS, SHAPES
from scipy import stats

from forwardbench.cases import parse_case
from forwardbench.implementations import load
from forwardbench.intervals import log_interval
from forwardbench.measure import threads
from forwardbench.measure.cells import Cell
from forwardbench.measure.environment import Watch, describe_machine
from forwardbench.measure.passes import PlannedCell, predicted_seconds, run_pass
from forwardbench.measure.probe import predict

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PASSES = 10
ENVIRONMENT = {**os.environ, **threads.environment(1), "PYTHONPATH": str(HERE)}


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
    """One run in this environment, judged as `asv compare` does: Mann-Whitney, p < 0.002."""
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
        found[name] = verdict(first["result"] / second["result"], half_width, different)
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


def with_forwardbench(seed, machine):
    """Ten passes, judged by whether the interval holds 1; each followed by a plain timing.

    Returns what it says of each pair, its seconds and those of the plain timing by name, the
    seconds that its passes took, and those that were announced.
    """
    planned = plan()
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
        for name, seconds in json.loads(start(sys.executable, HERE / "independent.py")).items():
            plain.setdefault(name, []).append(seconds)
    found, seconds = {}, {}
    for name in NAMES:
        interval = log_interval(np.divide(times[name, True], times[name, False]))
        different = not interval.low <= 1 <= interval.high
        found[name] = verdict(interval.centre, interval.half_width, different)
        seconds[name] = log_interval(times[name, False]).centre
    plain = {name: log_interval(each).centre for name, each in plain.items()}
    return found, seconds, plain, taken, PASSES * predicted_seconds(planned)


# --- all of them --------------------------------------------------------------------------

TOOLS = {
    "pytest-benchmark": (
        with_pytest_benchmark,
        3,
        "one run; Welch's test on its rounds, p < 0.05",
    ),
    "asv": (with_asv, 3, "one run; its own test, p < 0.002"),
    "perfplot": (with_perfplot, 3, "keeps the shortest time; no test"),
    "pyperf": (with_pyperf, 1, "20 processes; its own test, p < 0.05"),
}
"""How each is run, how often, and how its verdict comes about."""
FORWARDBENCH = "10 passes; 95 % interval of the paired ratio"


def main():
    """Run every tool and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="each tool once, pyperf left out")
    parser.add_argument(
        "--write", action="store_true", help="write results/methods.json and the page"
    )
    options = parser.parse_args()
    watch, machine, methods = Watch(), describe_machine(), []
    for name, (tool, repeats, how) in TOOLS.items():
        if options.quick and name == "pyperf":
            continue
        found, seconds = [], []
        for _ in range(1 if options.quick else repeats):
            with tempfile.TemporaryDirectory() as folder:
                begin = time.perf_counter()
                found += list(tool(Path(folder)).values())
                seconds.append(time.perf_counter() - begin)
        methods.append({"tool": name, "version": metadata.version(name), "how": how,
                        "seconds": float(np.mean(seconds)), "pairs": found})  # fmt: skip
        print(name, f"{seconds[-1]:.0f} s", flush=True)
    found, agreement, taken, announced = [], [], [], []
    for seed in range(1 if options.quick else 9):
        pairs, seconds, plain, took, said = with_forwardbench(seed, machine)
        found += list(pairs.values())
        agreement += [{"cell": name, "ratio": seconds[name] / plain[name]} for name in NAMES]
        taken.append(took)
        announced.append(said)
        print("forwardbench", f"{took:.1f} s", flush=True)
    version = metadata.version("forwardbench")
    methods.append({"tool": "forwardbench", "version": version, "how": FORWARDBENCH,
                    "seconds": float(np.mean(taken)), "pairs": found})  # fmt: skip
    figures = {
        "machine": f"{machine['cpu'].get('brand_raw')}, {machine['cpu'].get('count')} CPUs, "
        f"{machine['virtual'] or 'no virtual machine'}, Python {machine['python_version']}, "
        f"NumPy {metadata.version('numpy')}",
        "date": time.strftime("%Y-%m-%d"),
        "meanwhile": watch.report(),
        "methods": methods,
        "agreement": agreement,
        "announced": announced,
        "taken": taken,
    }
    print(page.tables(figures))
    if options.write:
        page.keep(figures)


main()
