"""What forwardbench and four other tools make of identical code, timed in one session.

    python -m studies methods            # about 20 minutes on an otherwise idle machine
    python -m studies methods --quick    # a rehearsal: each tool once, without pyperf
    python -m studies methods --write    # keeps results/methods.json, and tables in docs/method.md

Needs the extra `studies`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from forwardbench import processes
from forwardbench.cases import parse_case
from forwardbench.implementations import load
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.passes import PlannedCell, predicted_seconds, run_pass
from forwardbench.measure.probe import predict
from forwardbench.measure.watch import Watch
from forwardbench.records import Cell
from forwardbench.statistics.intervals import log_interval
from forwardbench.verification.verify import verify_all
from studies import page
from studies.cells import NAMES, RUNGS, SHAPES
from studies.children import FOLDER
from studies.other_tools import DISTURBED, TOOLS, start, verdict

PASSES = 10
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
            printed = start(sys.executable, FOLDER / "plain_loop.py")
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


@contextmanager
def neighbours():
    """Run one such program for each CPU meanwhile."""
    command = [sys.executable, "-c", NEIGHBOUR]
    running = [subprocess.Popen(command) for _ in processes.available_cpus()]
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


def main(arguments):
    """Run every tool and write the figures down."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m studies methods", description=summary)
    parser.add_argument("--quick", action="store_true", help="each tool once, pyperf left out")
    parser.add_argument("--write", action="store_true", help="keep the figures and the page")
    parser.add_argument("--ours", action="store_true", help="forwardbench only, 17 times")
    options = parser.parse_args(arguments)
    machine, watch = describe_machine(), Watch()
    if options.ours:
        own, _ = measure_forwardbench(17, 0, machine)
        print(page.rows([own]), watch.report(), sep="\n")
        return
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
