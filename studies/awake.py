"""How much a call's time varies on a CPU that sleeps between visits, and on one that is kept awake.

python -m studies awake [--seconds N] [--write]
"""

import argparse
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import repeat
from typing import Any

import numpy as np

from forwardbench import processes
from forwardbench.processes.awake import kept_awake
from studies import page

PAUSE_SECONDS = 5e-3
"""Between two visits, as long as a judge may take."""
ROUNDS, CALLS = 5, 1000
"""A visit has so many rounds of so many calls, each about a millisecond."""
TURNS = 10
"""The conditions take so many turns, so that a disturbance meets all of them."""


def main(arguments):
    """Time the same calls under each condition in turn, and print how they differ."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(
        prog="python -m studies awake", description=summary, allow_abbrev=False
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="time for each condition")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/method.md")
    options = parser.parse_args(arguments)
    text = table(measure(options.seconds / TURNS))
    print(text)
    if options.write:
        page.write_between_marks("awake", text)


def measure(turn_seconds):
    """Median seconds a call of every visit, by what the CPU does between visits."""
    cpus = processes.cpus_for(1)
    os.sched_setaffinity(0, cpus)
    conditions: dict[str, tuple[Callable[[], Any], float]] = {
        "no pause: the CPU never sleeps": (nullcontext, 0.0),
        "5 ms pauses, the CPU kept awake": (lambda: kept_awake(cpus), PAUSE_SECONDS),
        "5 ms pauses, the CPU left to itself": (nullcontext, PAUSE_SECONDS),
    }
    found = {name: [] for name in conditions}
    for _ in range(TURNS):
        for name, (context, pause) in conditions.items():
            with context():
                found[name] += visits(turn_seconds, pause)
    return found


def visits(seconds, pause):
    """Median seconds a call of one visit after another."""
    x, weights = np.full((1, 2), 0.5), np.full((2, 2), 0.5)
    medians, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in repeat(None, CALLS):
                np.matmul(x, weights)
            rounds.append((time.perf_counter() - start) / CALLS)
        medians.append(float(np.median(rounds)))
        time.sleep(pause)
    return medians


def table(found):
    """A table of the visits' medians: the usual one, and how far others are from it."""
    first = float(np.median(next(iter(found.values()))))
    lines = [
        "| between visits | visits | median, against the first row | 90 % are within | "
        "more than 10 % slower |",
        "|---|---|---|---|---|",
    ]
    for name, medians in found.items():
        middle = float(np.median(medians))
        off = np.abs(np.array(medians) / middle - 1)
        slower = float(np.mean(np.array(medians) > 1.1 * first))
        lines.append(
            f"| {name} | {len(medians)} | {middle / first:.2f} | "
            f"{page.percent(float(np.percentile(off, 90)))} | {page.percent(slower)} |"
        )
    return "\n".join(lines)
