"""Time one rung in a plain loop, for `company.py`: median seconds a call, as JSON.

    python bare_loop.py FILE CASE ACTIVATION SECONDS settled|young

Nothing of forwardbench is loaded but the rung's file and the inputs.
"""

import gc
import importlib
import json
import sys
import time
from itertools import repeat
from pathlib import Path
from statistics import median

import numpy as np

VISITS, VISIT_SECONDS, ROUND_SECONDS, WARM_SECONDS = 5, 6e-3, 1e-3, 0.05


def load(path):
    """Import a rung's file; what it leaves out changes nothing."""
    sys.path.insert(0, str(Path(path).parent))
    return importlib.import_module(Path(path).stem)


def timed(forward, x, layers, count):
    """Seconds a call of one round."""
    start = time.perf_counter()
    for _ in repeat(None, count):
        forward(x, layers)
    return (time.perf_counter() - start) / count


def main(path, case, activation, expected, state):
    """Time it in as many rounds as a pass has."""
    if state == "settled":
        np.empty(2**25 - 2**16, np.uint8)  # freed at once
    rung = load(path)
    from forwardbench.cases import parse_case
    from forwardbench.workloads import get

    (x,), layers = get("forward").inputs(parse_case(case, activation))
    layers = getattr(rung, "prepare_layers", lambda layers: layers)(layers)
    x = getattr(rung, "prepare_input", lambda x: x)(x)
    gc.disable()
    if float(expected) > WARM_SECONDS:
        return timed(rung.forward, x, layers, 1)
    for _ in range(3):
        seconds = timed(rung.forward, x, layers, 1)
    count = max(1, round(ROUND_SECONDS / seconds))
    rounds = max(1, round(VISIT_SECONDS / max(seconds, ROUND_SECONDS)))
    visits = max(1, min(VISITS, int(0.1 / float(expected))))
    return median(timed(rung.forward, x, layers, count) for _ in range(visits * rounds))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
