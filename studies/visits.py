"""Why a cell is visited several times in a pass: the same seconds, spread differently.

    python -m studies visits [--write]    # three minutes on an otherwise idle machine

Forty fresh processes time twelve pairs of identical code in visits of 8 ms, twelve rounds of
visits each in a new order. From these rounds, passes are made up as if a cell had been given 8 ms
or 16 ms in one visit or in several, and ten passes at a time give an interval.
"""

import argparse
import json
import random
import subprocess
import sys

import numpy as np

from forwardbench.statistics.intervals import log_interval
from studies import page
from studies.cells import LABELS, NAMES
from studies.children import ENVIRONMENT, FOLDER
from studies.children.visit_rounds import LAPS

PROCESSES, PASSES, DRAWS = 40, 10, 100
DESIGNS = ((1, 8e-3), (2, 4e-3), (4, 2e-3), (2, 8e-3), (4, 4e-3), (5, 6e-3), (8, 2e-3))
"""Visits a pass, and seconds each."""


def first_rounds(count, rounds, seconds):
    """The rounds that a shorter visit would have had."""
    ends = np.cumsum(rounds) * count
    return rounds[: 1 + int(np.searchsorted(ends, seconds))]


def value(process, name, label, laps, seconds):
    """A cell's value in a pass: the median of the rounds of all its visits."""
    visits = [process[lap][f"{name}|{label}"] for lap in laps]
    rounds = [first_rounds(count, all_of_it, seconds) for count, all_of_it in visits]
    return np.median(np.concatenate(rounds))


def compare(processes):
    """Yield, for each design, the half-widths and misses of intervals of identical code."""
    for visits, seconds in DESIGNS:
        choose, widths, missed = random.Random(0), [], 0
        for name in NAMES:
            for _ in range(DRAWS):
                ratios = []
                for process in choose.sample(processes, PASSES):
                    laps = choose.sample(range(LAPS), visits)
                    first, second = (value(process, name, each, laps, seconds) for each in LABELS)
                    ratios.append(first / second)
                interval = log_interval(ratios)
                widths.append(interval.half_width)
                missed += not interval.low <= 1 <= interval.high
        yield visits, seconds, np.quantile(widths, [0.5, 0.9]), missed / len(widths)


def main(arguments):
    """Record in fresh processes, one after another, and print a table."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m studies visits", description=summary)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/method.md")
    options = parser.parse_args(arguments)
    processes = []
    for seed in range(PROCESSES):
        done = subprocess.run(
            [sys.executable, str(FOLDER / "visit_rounds.py"), str(seed)],
            env=ENVIRONMENT,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        processes.append(json.loads(done.stdout))
    rows = [
        "| visits a pass | time for a cell | half-width, median | 90 % are below | missed 1 |",
        "|---|---|---|---|---|",
    ]
    for visits, seconds, (median, most), missed in compare(processes):
        rows.append(
            f"| {visits} of {seconds * 1e3:.0f} ms | {visits * seconds * 1e3:.0f} ms | "
            f"{median:.1%} | {most:.1%} | {missed:.1%} |"
        )
    print("\n".join(rows))
    if options.write:
        page.write_between_marks("visits", "\n".join(rows))
