"""Whether a cell's figure depends on what else is in the run, or on being in a run at all.

    python -m studies company [--write] [--passes 8]    # 15 minutes on an otherwise idle machine

Forty cells of the ladder are timed in turns in different company: each in a pass of its own, among
the cells of a default run, and among those of a run with another dtype and number of threads. And
by a plain loop in a bare process, which has freed a block of 32 MiB once, as programs that have
loaded anything have, and in another that has not. With `--write` the table goes to docs/method.md.
"""

import argparse
import json
import math
import random
import subprocess
import sys
from functools import partial
from os import sched_setaffinity
from statistics import median

from forwardbench import implementations, processes
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.passes import PlannedCell, run_pass
from forwardbench.measure.plan import make_plan
from forwardbench.measure.request import make_request
from forwardbench.measure.run_options import RunOptions
from forwardbench.records import Cell
from forwardbench.statistics.intervals import log_interval
from forwardbench.verification.verify import Verdict
from studies import page
from studies.children import ENVIRONMENT, FOLDER

SHAPES = ("1x1-1", "1x2-3", "8x8-8", "64x64-64", "1x256-256", "256x256-256", "512x512-512")
CELLS = 40
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
    request = make_request(RunOptions(**options), seed=1)
    verdicts = {name: Verdict(name, "verified") for name in request.contenders}
    return make_plan(request, verdicts).measured


def measure(passes):
    """Seconds of each cell in each company, pass by pass; and the cells."""
    default = plan_of(first_calls=0, shapes=SHAPES, sweeps=("square", "course"))
    other = plan_of(
        first_calls=0, shapes=SHAPES, sweeps=("square",),
        dtypes=("float64", "float32"), threads=("1", "all"),
    )  # fmt: skip
    cells = [
        planned
        for planned in default
        if planned.cell.sweep == "shapes" and not planned.cell.control and planned.seconds < 0.3
    ]
    cells = random.Random(0).sample(cells, min(CELLS, len(cells)))
    companies = {"default run": default, "other dtype and threads": other}
    origin = {"machine": describe_machine(), "commit": {}}
    times = {name: {} for name in ("alone", *companies, "bare", "young")}
    for number in range(passes):
        jobs = [
            *companies.items(),
            *(("alone", [planned]) for planned in cells),
            *((state, planned) for planned in cells for state in ("bare", "young")),
        ]
        random.Random(number).shuffle(jobs)
        for company, work in jobs:
            if isinstance(work, PlannedCell):
                found = {work.cell: bare(work, young=company == "young")}
            else:
                found = medians(run_pass(work, f"{company}/{number}", origin))
            for planned in cells:
                if planned.cell in found:
                    times[company].setdefault(planned.cell, []).append(found[planned.cell])
        print(f"pass {number + 1} of {passes}", file=sys.stderr, flush=True)
    return times, cells


def medians(result):
    """Seconds a call of each cell in a pass; ends the study if one failed."""
    if result.failures or result.rejected:
        sys.exit(f"{result.failures | result.rejected}")
    return {
        Cell.from_json(entry["extra_info"]["cell"]): entry["stats"]["median"]
        for entry in result.benchmark["benchmarks"]
    }


def bare(planned, *, young):
    """Seconds a call in a plain loop of a bare process."""
    cell = planned.cell
    path = implementations.find(cell.reference)
    arguments = [str(path), str(cell.case), cell.case.activation, str(planned.seconds)]
    done = subprocess.run(
        [sys.executable, str(FOLDER / "bare_loop.py"), *arguments, "young" if young else "settled"],
        env=ENVIRONMENT, capture_output=True, text=True, check=True,
        preexec_fn=partial(sched_setaffinity, 0, processes.cpus_for(1)),
    )  # fmt: skip
    return json.loads(done.stdout)


def table(times, cells):
    """How often a cell's time was called different, and by how much it was off."""
    lines = [
        "| a cell's time | over its time | cells | called different | off by, median | "
        f"most, below {SLOW_SECONDS * 1e3:.0f} ms a call | most, of all |",
        "|---|---|---|---|---|---|---|",
    ]
    for one, other in (
        ("default run", "alone"), ("other dtype and threads", "alone"),
        ("other dtype and threads", "default run"), ("alone", "bare"), ("young", "bare"),
    ):  # fmt: skip
        found = []
        for planned in cells:
            pairs = zip(times[one][planned.cell], times[other][planned.cell], strict=True)
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
    return "\n".join([*lines, "", *cost_of_youth(times, cells)])


NAMES = {
    "alone": "alone in its pass",
    "default run": "among the cells of a default run",
    "other dtype and threads": "among both dtypes, on 1 thread and all",
    "bare": "in a bare process that has freed 32 MiB",
    "young": "in a bare process that has freed nothing",
}


def cost_of_youth(times, cells):
    """What a call costs in a process that gives large blocks back to the system each time."""
    yield (
        "In a process that has not yet freed a large block, some calls take longer, because the "
        "memory of each result is fetched from the system again. Time as a multiple of that in "
        "a process that has:"
    )
    yield ""
    yield "| cell | multiple |"
    yield "|---|---|"
    for planned in cells:
        pairs = zip(times["young"][planned.cell], times["bare"][planned.cell], strict=True)
        ratio = log_interval([a / b for a, b in pairs])
        if ratio.low > 1.05:
            yield (
                f"| `{planned.cell.implementation}` `{planned.cell.case}` | {ratio.centre:.2f} "
                f"({ratio.low:.2f} to {ratio.high:.2f}) |"
            )
