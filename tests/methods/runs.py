"""What comparisons make of runs of identical code.

python tests/methods/runs.py RUN RUN [RUN ...] [--write]

Runs that were made one after another are given first; those named after a `/` were made in
another session. Prints a table, or writes it into docs/method.md.
"""

import itertools
import sys

import numpy as np
import page

from forwardbench import comparison, results


def main(arguments):
    """Compare every pair, in both ways."""
    paths = [each for each in arguments if each != "--write"]
    cut = paths.index("/") if "/" in paths else len(paths)
    today = [results.load(path) for path in paths[:cut]]
    before = [results.load(path) for path in paths[cut + 1 :]]
    groups = {
        "one after another": list(itertools.combinations(today, 2)),
        "in different sessions": list(itertools.product(before, today)),
    }
    lines = [
        "| runs | what is compared | called different | ratios off by, median and most | "
        "regressions above 5 %, either way |",
        "|---|---|---|---|---|",
    ]
    for name, pairs in groups.items():
        if pairs:
            lines += [row(name, pairs, compare) for compare in WAYS.items()]
    text = "\n".join(lines) + "\n"
    if "--write" in arguments:
        page.write_between_marks("runs", text)
    print(text)


WAYS = {
    "seconds a call": comparison.compare_seconds,
    "times relative to the baseline's in the same pass": comparison.compare,
}


def row(name, pairs, way):
    """One line: how many cells of all pairs were called different, and by how much."""
    what, compare = way
    found = [compare(one, other) for one, other in pairs]
    cells = [each.cells[each.cells["verdict"] != comparison.NOT_COMPARABLE] for each in found]
    different = sum(int(each["verdict"].isin(["faster", "slower"]).sum()) for each in cells)
    total = sum(len(each) for each in cells)
    off = np.concatenate([np.abs(np.log(each["ratio"].to_numpy(float))) for each in cells])
    both_ways = [*found, *(compare(other, one) for one, other in pairs)]
    regressions = sum(len(comparison.regressions(each, 0.05)) for each in both_ways)
    share = f"{different} of {total} ({different / total:.0%})"
    return (
        f"| {name}, {len(pairs)} pairs | {what} | {share} | "
        f"{page.percent(np.expm1(np.median(off)))}, {page.percent(np.expm1(off.max()))} | "
        f"{regressions} |"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
