"""Identical code under perfplot, which keeps the shortest time of each kernel and size."""

import json
import sys

import perfplot

from studies.cells import LABELS, RUNGS, SHAPES, call


def kernel(rung, label):
    """Make the kernel of a rung; its argument is what `prepare` returns."""

    def run(ready):
        function, arguments = ready[rung, label]
        return function(*arguments)

    return run


def prepare(number):
    """Prepare every cell of a shape, which is given by its number: perfplot knows sizes only."""
    shape = SHAPES[number - 1]
    return {(rung, label): call(f"{rung} {shape}") for rung in RUNGS for label in LABELS}


if __name__ == "__main__":
    keys = [(rung, label) for rung in RUNGS for label in LABELS]
    found = perfplot.bench(
        setup=prepare,
        kernels=[kernel(*key) for key in keys],
        n_range=[1, 2, 3, 4],
        equality_check=None,
        show_progress=False,
    )
    seconds = {
        f"{rung} {shape} {label}": float(row[column])
        for (rung, label), row in zip(keys, found.timings_s, strict=True)
        for column, shape in enumerate(SHAPES)
    }
    json.dump(seconds, sys.stdout)
