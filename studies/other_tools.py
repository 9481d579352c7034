"""Other tools, each started with its own defaults and asked for its verdicts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from forwardbench import processes
from studies.cells import LABELS, NAMES
from studies.children import ENVIRONMENT, FOLDER

ROOT = Path(__file__).parents[1]


def on_one_cpu():
    """Give every tool what forwardbench gives its workers: one CPU and one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processes.cpus_for(1))


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


def with_pytest_benchmark(folder):
    """One run; having no test of its own, its samples are compared with Welch's."""
    out = folder / "pytest.json"
    start(sys.executable, "-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={FOLDER}",
          "-pno:cacheprovider", f"--benchmark-json={out}", "--benchmark-only",
          FOLDER / "with_pytest_benchmark.py")  # fmt: skip
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

    shutil.copytree(FOLDER / "asv_suite", folder / "suite")
    (folder / "cells.py").write_text((ROOT / "studies" / "cells.py").read_text())
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
    start(sys.executable, FOLDER / "with_pyperf.py", "--quiet", f"--output={out}",
          "--inherit-environ", ",".join((*processes.THREAD_VARIABLES, "PYTHONPATH")))  # fmt: skip
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
    seconds = json.loads(start(sys.executable, FOLDER / "with_perfplot.py"))
    return {name: {"ratio": seconds[f"{name} first"] / seconds[f"{name} second"]} for name in NAMES}


TOOLS = {
    "pytest-benchmark": (with_pytest_benchmark, 3, "one run; Welch's test on its rounds, p < 0.05"),
    "asv": (with_asv, 3, "one run; its own test, p < 0.002"),
    "perfplot": (with_perfplot, 3, "keeps the shortest time; no test"),
    "pyperf": (with_pyperf, 1, "20 processes; its own test, p < 0.05"),
}
"""How each is run, how often, and how its verdict comes about."""
DISTURBED = ("pytest-benchmark", "asv", "perfplot")
"""Run once more beside a busy neighbour; pyperf's six minutes are spared."""
