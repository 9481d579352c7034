"""Why a cell is visited several times in a pass: the same seconds, spread differently.

    python studies/visits.py [--write]    # three minutes on an otherwise idle machine

Forty fresh processes time twelve pairs of identical code in visits of 8 ms, twelve rounds of
visits each in a new order. From these rounds, passes are made up as if a cell had been given 8 ms
or 16 ms in one visit or in several, and ten passes at a time give an interval.
"""

import gc
import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import page
from cells import LABELS, NAMES, call, pairs

from forwardbench import processes
from forwardbench.statistics.intervals import log_interval

PROCESSES, LAPS, PASSES, DRAWS = 40, 12, 10, 100
VISIT_SECONDS, ROUND_SECONDS = 8e-3, 1e-3
DESIGNS = ((1, 8e-3), (2, 4e-3), (4, 2e-3), (2, 8e-3), (4, 4e-3), (5, 6e-3), (8, 2e-3))
"""Visits a pass, and seconds each."""


def record(seed):
    """Time every pair in this process; return seconds a call by name, label, and lap."""
    gc.disable()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processes.cpus_for(1))
    shuffle = random.Random(seed)
    # In a fixed order one of a pair would lie in a better place in every process.
    prepared = {key: call(key[0]) for key in shuffle.sample(list(pairs()), 2 * len(NAMES))}
    counts = {}
    for key, (function, arguments) in prepared.items():
        function(*arguments)
        start = time.perf_counter()
        function(*arguments)
        counts[key] = max(1, round(ROUND_SECONDS / (time.perf_counter() - start)))
    laps = []
    for _ in range(LAPS):
        lap = {}
        for key in shuffle.sample(list(prepared), len(prepared)):
            function, arguments = prepared[key]
            function(*arguments)
            rounds, begin = [], time.perf_counter()
            while time.perf_counter() - begin < VISIT_SECONDS:
                start = time.perf_counter()
                for _ in range(counts[key]):
                    function(*arguments)
                rounds.append((time.perf_counter() - start) / counts[key])
            lap["|".join(key)] = [counts[key], rounds]
        laps.append(lap)
    return laps


def first_rounds(count, rounds, seconds):
    """The rounds that a shorter visit would have had."""
    ends = np.cumsum(rounds) * count
    return rounds[: 1 + int(np.searchsorted(ends, seconds))]


def value(process, name, label, laps, seconds):
    """A cell's value in a pass: the median of the rounds of all its visits."""
    visits = [process[lap][f"{name}|{label}"] for lap in laps]
    return np.median(
        np.concatenate([first_rounds(count, rounds, seconds) for count, rounds in visits])
    )


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


def main():
    """Record in fresh processes, one after another, and print a table."""
    recorded = []
    for seed in range(PROCESSES):
        done = subprocess.run(
            [sys.executable, __file__, str(seed)],
            env={**os.environ, **processes.thread_environment(1)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        recorded.append(json.loads(done.stdout))
    rows = [
        "| visits a pass | time for a cell | half-width, median | 90 % are below | missed 1 |",
        "|---|---|---|---|---|",
    ]
    for visits, seconds, (median, most), missed in compare(recorded):
        rows.append(
            f"| {visits} of {seconds * 1e3:.0f} ms | {visits * seconds * 1e3:.0f} ms | "
            f"{median:.1%} | {most:.1%} | {missed:.1%} |"
        )
    print("\n".join(rows))
    if "--write" in sys.argv:
        page.write_between_marks("visits", "\n".join(rows))


if sys.argv[1:] and sys.argv[1].isdigit():
    json.dump(record(sys.argv[1]), sys.stdout)
else:
    main()
