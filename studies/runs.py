"""What comparisons make of runs of identical code.

    python -m studies runs RUN RUN [RUN ...] [/ OLDER_RUN ...] [--write]

Runs that were made one after another are given first; those named after a `/` were made at another
time. Prints a table; `--write` keeps its figures in results/comparisons.json and the table in
docs/method.md.
"""

import argparse
import itertools
import json
from datetime import datetime

import numpy as np

from forwardbench import results
from forwardbench.analysis import comparison
from studies import page

WAYS = {
    "seconds a call": comparison.compare_seconds,
    "times relative to the baseline's in the same pass": comparison.compare,
}


def main(arguments):
    """Compare every pair, in both ways."""
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m studies runs", description=summary)
    parser.add_argument("paths", nargs="+", metavar="RUN", help="a run; after a /, an older one")
    parser.add_argument("--write", action="store_true", help="keep the figures and the table")
    options = parser.parse_args(arguments)
    paths = options.paths
    cut = paths.index("/") if "/" in paths else len(paths)
    together = [results.load(path) for path in paths[:cut]]
    apart = [results.load(path) for path in paths[cut + 1 :]]
    groups = list(itertools.combinations(together, 2)), list(itertools.product(apart, together))
    figures = [
        measure(pairs, what, compare)
        for pairs in groups if pairs for what, compare in WAYS.items()
    ]  # fmt: skip
    if options.write:
        page.COMPARISONS.write_text(json.dumps(figures, indent=1) + "\n")
        page.write_between_marks("runs", page.table_of_runs(figures))
    print(page.table_of_runs(figures))


def measure(pairs, what, compare):
    """How many cells of all pairs were called different, and by how much they were off."""
    found = [compare(one, other) for one, other in pairs]
    cells = [each.cells[each.cells["verdict"] != comparison.NOT_COMPARABLE] for each in found]
    off = np.concatenate([np.abs(np.log(each["ratio"].to_numpy(float))) for each in cells])
    both_ways = [*found, *(compare(other, one) for one, other in pairs)]
    minutes = [abs(started(other) - started(one)) / 60 for one, other in pairs]
    return {
        "what": what,
        "pairs": len(pairs),
        "minutes_apart": [min(minutes), max(minutes)],
        "different": sum(int(each["verdict"].isin(["faster", "slower"]).sum()) for each in cells),
        "cells": sum(len(each) for each in cells),
        "off_median": float(np.expm1(np.median(off))),
        "off_most": float(np.expm1(off.max())),
        "regressions": sum(len(comparison.regressions(each, 0.05)) for each in both_ways),
    }


def started(loaded):
    """When a run began, in seconds."""
    return datetime.fromisoformat(loaded.origin.facts["started"]).timestamp()
