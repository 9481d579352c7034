"""Identical code under pyperf, with its own defaults: twenty processes for each benchmark."""

import pyperf

from studies.cells import call, pairs


def loops(count: int, name: str) -> float:
    """Time that many calls; the cell is prepared only in the process that times it."""
    function, arguments = call(name)
    start = pyperf.perf_counter()
    for _ in range(count):
        function(*arguments)
    return float(pyperf.perf_counter() - start)


if __name__ == "__main__":
    runner = pyperf.Runner()
    for name, label in pairs():
        runner.bench_time_func(f"{name} {label}", loops, name)
