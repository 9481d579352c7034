"""Record rounds of identical code in this process, for `visits.py`: seconds as JSON."""

import gc
import json
import os
import random
import sys
import time

from forwardbench import processes
from studies.cells import NAMES, call, pairs

LAPS = 12
VISIT_SECONDS, ROUND_SECONDS = 8e-3, 1e-3


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


if __name__ == "__main__":
    json.dump(record(sys.argv[1]), sys.stdout)
