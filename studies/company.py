"""Whether a cell's figure depends on what else is in the run, or on being in a run at all.

    python -m studies company [--write] [--passes 8]    # 10 minutes on an otherwise idle machine

The figure of a cell is its time as a multiple of another's at the same case, `matmul` or, for that
one, `matmul_inplace`. Forty cells of the ladder get their figures in different company: the two of
them alone, among the cells of a default run, and among those of a run with another dtype and number
of threads. And in plain loops, each in a bare process that has freed a block of 32 MiB once, as
programs that have loaded anything have, or has not. With `--write` the table goes to
docs/method.md.
"""

import argparse
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from os import sched_setaffinity
from statistics import median
from typing import Any

from forwardbench import implementations, processes
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.passes import run_pass
from forwardbench.measure.plan import make_plan
from forwardbench.measure.request import make_request
from forwardbench.measure.run_options import RunOptions
from forwardbench.measure.threads import keep_off_worker_cpus
from forwardbench.measure.timing import Judge, visits_of
from forwardbench.processes.awake import kept_awake
from forwardbench.records import Cell
from forwardbench.statistics.intervals import log_interval
from forwardbench.verification.verify import Nurseries, Verdict
from forwardbench.workloads import get
from studies import page
from studies.children import ENVIRONMENT, FOLDER

SHAPES = ("1x1-1", "1x2-3", "8x8-8", "64x64-64", "1x256-256", "256x256-256", "512x512-512")
CELLS = 40
GAUGES: list[float] = []
"""The CPU's speed around all visits to cells that were timed alone."""
SLOW_SECONDS = 0.05
"""Calls above this are timed once a pass, so their single ratios are off by more."""


def main(arguments):
    """Measure, and print the table or keep it."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m studies company", description=summary)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/method.md")
    parser.add_argument("--passes", type=int, default=8, help="passes in each company (8)")
    options = parser.parse_args(arguments)
    text = table(*measure(options.passes))
    print(text)
    if options.write:
        page.write_between_marks("company", text)


def plan_of(**options):
    """The planned cells of a run with these options."""
    request = make_request(RunOptions(first_calls=0, **options), seed=1)
    verdicts = {name: Verdict(name, "verified") for name in request.contenders}
    return make_plan(request, verdicts).measured


def measure(passes):
    """Figures of each cell in each company, pass by pass; and the cells."""
    default = plan_of(shapes=SHAPES, sweeps=("square", "course"))
    other = plan_of(shapes=SHAPES, dtypes=("float64", "float32"), threads=("1", "all"))
    pairs = [
        (planned, default_of(default, partner(planned.cell)))
        for planned in default
        if planned.cell.sweep == "shapes" and not planned.cell.control and planned.seconds < 0.3
    ]
    pairs = random.Random(0).sample(pairs, min(CELLS, len(pairs)))
    companies = {"default run": default, "other dtype and threads": other}
    origin = {"machine": describe_machine(), "commit": {}}
    figures = {name: {} for name in ("alone", *companies, "bare", "young")}
    for number in range(passes):
        jobs = [
            *companies.items(),
            *((way, pair) for pair in pairs for way in ("alone", "bare")),
            *(("young", pair) for pair in pairs if is_large(pair[0].cell)),
        ]
        random.Random(number).shuffle(jobs)
        for company, work in jobs:
            if company in companies:
                found = medians(run_pass(work, f"{company}/{number}", origin))
                done = pairs
            else:
                found, done = WAYS[company](work), [work]
            for one, other_one in done:
                ratio = found[one.cell] / found[other_one.cell]
                figures[company].setdefault(one.cell, []).append(ratio)
        print(f"pass {number + 1} of {passes}", file=sys.stderr, flush=True)
    return figures, [one for one, _ in pairs]


def partner(cell):
    """The cell whose time is the unit of another's."""
    name = "matmul" if cell.implementation != "matmul" else "matmul_inplace"
    return replace(cell, implementation=name, reference=name)


def default_of(plan, cell):
    """The planned cell of a plan."""
    return next(planned for planned in plan if planned.cell == cell)


def is_large(cell):
    """Whether results are so large that glibc would give their memory back."""
    return get(cell.workload).bytes(cell.case) > 2**17


def alone(pair):
    """Seconds a call of the two cells, timed as in a pass, with nothing else."""
    cells = {planned.cell: planned.seconds for planned in pair}
    awake = kept_awake(processes.cpus_for(1))
    with awake as keepers, Nurseries("forward") as nurseries, keep_off_worker_cpus([1]):
        judge = Judge(lambda cell: nurseries.contender(cell.reference), keepers=keepers)
        judge.calm.gauges = GAUGES  # the CPU's usual speed shows in many visits only
        visits = [cell for cell in cells for _ in range(visits_of(cells[cell]))]
        random.shuffle(visits)
        found = {cell: [] for cell in cells}
        while visits:
            cell = visits.pop()
            found[cell].append(judge.visit(cell, cells[cell], last=cell not in visits))
            if found[cell][-1].again:
                visits.insert(0, cell)
        judge.close()
        return {cell: call_seconds(visits, judge) for cell, visits in found.items()}


def call_seconds(visits, judge):
    """Seconds a call in some visits, as a pass takes them."""
    made = [one for visit in visits for one in visit.rounds]
    return median(one.seconds for one in judge.calm.least_disturbed(made)) / visits[0].iterations


def medians(result):
    """Seconds a call of each cell in a pass; ends the study if one failed."""
    if result.failures or result.rejected:
        sys.exit(f"{result.failures | result.rejected}")
    return {
        Cell.from_json(entry["extra_info"]["cell"]): entry["stats"]["median"]
        for entry in result.benchmark["benchmarks"]
    }


def in_bare_processes(pair, state):
    """Seconds a call of the two cells in plain loops, each in a bare process."""
    found = {}
    for planned in random.sample(pair, 2):
        cell = planned.cell
        path = implementations.find(cell.reference)
        arguments = [str(path), str(cell.case), cell.case.activation, str(planned.seconds), state]
        done = subprocess.run(
            [sys.executable, str(FOLDER / "bare_loop.py"), *arguments],
            env=ENVIRONMENT, capture_output=True, text=True, check=True,
            preexec_fn=partial(sched_setaffinity, 0, processes.cpus_for(1)),
        )  # fmt: skip
        found[cell] = json.loads(done.stdout)
    return found


WAYS: dict[str, Callable[[Any], dict[Cell, float]]] = {
    "alone": alone,
    "bare": partial(in_bare_processes, state="settled"),
    "young": partial(in_bare_processes, state="young"),
}


def table(figures, cells):
    """How often a cell's time was called different, and by how much it was off."""
    lines = [
        "| a cell's figure | over its figure | cells | called different | off by, median | "
        f"most, below {SLOW_SECONDS * 1e3:.0f} ms a call | most, of all |",
        "|---|---|---|---|---|---|---|",
    ]
    for one, other in (
        ("default run", "alone"), ("other dtype and threads", "alone"),
        ("other dtype and threads", "default run"), ("alone", "bare"),
    ):  # fmt: skip
        found = []
        for planned in cells:
            if planned.cell not in figures[one]:
                continue
            pairs = zip(figures[one][planned.cell], figures[other][planned.cell], strict=True)
            found.append((planned, log_interval([a / b for a, b in pairs])))
        off = {
            f"{each.cell.implementation} {each.cell.case}": abs(math.log(ratio.centre))
            for each, ratio in found
        }
        fast = [each for each, _ in found if each.seconds < SLOW_SECONDS]
        of_fast = {
            name: off[name] for name in (f"{p.cell.implementation} {p.cell.case}" for p in fast)
        }
        different = sum(not ratio.low <= 1 <= ratio.high for _, ratio in found)
        worst_fast, worst = (max(each, key=each.__getitem__) for each in (of_fast, off))
        lines.append(
            f"| {NAMES[one]} | {NAMES[other]} | {len(found)} | {different} | "
            f"{page.percent(median(off.values()))} | {page.percent(off[worst_fast])} "
            f"(`{worst_fast}`) | {page.percent(off[worst])} (`{worst}`) |"
        )
    return "\n".join([*lines, "", *cost_of_youth(figures, cells)])


NAMES = {
    "alone": "the two alone",
    "default run": "among the cells of a default run",
    "other dtype and threads": "among both dtypes, on 1 thread and all",
    "bare": "in bare processes that have freed 32 MiB",
}


def cost_of_youth(figures, cells):
    """What a call costs in a process that gives large blocks back to the system each time."""
    yield (
        "In a process that has not yet freed a large block, some calls take longer, because the "
        "memory of each result is fetched from the system again. The same figures there, over "
        "those in a process that has:"
    )
    yield ""
    yield "| cell, over its partner | multiple |"
    yield "|---|---|"
    for planned in cells:
        young = figures["young"].get(planned.cell, [])
        pairs = zip(young, figures["bare"][planned.cell], strict=bool(young))
        ratios = [a / b for a, b in pairs]
        ratio = log_interval(ratios) if ratios else None
        if ratio and not 0.95 < ratio.centre < 1.05 and not ratio.low <= 1 <= ratio.high:
            cell, unit = planned.cell, partner(planned.cell).implementation
            yield (
                f"| `{cell.implementation}` over `{unit}` at `{cell.case}` | "
                f"{ratio.centre:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) |"
            )
