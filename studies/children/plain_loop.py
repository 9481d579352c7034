"""Seconds a call by a plain loop, interleaved: what forwardbench's figures are held against.

No part of forwardbench's timing is used: one process, every cell in turn, thirty times round,
two milliseconds each, the median of the rounds. Arrays are made anew for each round, since where
they lie in memory is worth up to 10 % of a call that reads 512 KiB of weights in 8 us.
"""

import gc
import json
import statistics
import sys
import time

from studies.cells import NAMES, call

ROUNDS = 30
SECONDS = 0.002


def batch(function, arguments, count):
    """Seconds a call over that many calls in a row."""
    start = time.perf_counter()
    for _ in range(count):
        function(*arguments)
    return (time.perf_counter() - start) / count


if __name__ == "__main__":
    counts = {}
    for name in NAMES:
        function, arguments = call(name)
        function(*arguments)
        counts[name] = max(1, round(SECONDS / batch(function, arguments, 3)))
    gc.disable()
    times = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name in NAMES:
            function, arguments = call(name)
            function(*arguments)
            times[name].append(batch(function, arguments, counts[name]))
    json.dump({name: statistics.median(each) for name, each in times.items()}, sys.stdout)
