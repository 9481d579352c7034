"""The suite's cells for ``pytest --benchmark-only``, with the names that runs give them.

Plain ``pytest`` skips them. Options that measure well are set here, so that nothing has to
be given on the command line; a cell predicted to take longer than a second a call is
skipped, as in a run.
"""

import os
from functools import cache

import pytest
from threadpoolctl import threadpool_limits

from forwardbench import implementations
from forwardbench.measure.plan import cells_of
from forwardbench.measure.probe import predict
from forwardbench.measure.timing import BENCHMARK_OPTIONS, benchmark_cell, visits_of
from forwardbench.processes import cpus_for
from forwardbench.workloads.forward import DEFAULT_SWEEPS, SWEEPS

# Frameworks warn of what they will change one day, which is not for a benchmark to judge.
pytestmark = pytest.mark.filterwarnings("default")

LIMIT = 1.0
CELLS = list(
    cells_of(
        {name: name for name in implementations.names()},
        [SWEEPS[name] for name in DEFAULT_SWEEPS],
        ["float64"],
        [1],
    )
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep BLAS to the one thread that the cells' names promise, on one CPU."""
    if not hasattr(os, "sched_setaffinity"):
        with threadpool_limits(1):
            yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus_for(1))
    with threadpool_limits(1):
        yield
    os.sched_setaffinity(0, before)


@cache
def predicted(reference, case):
    """How long a call takes, from calls of smaller cases."""
    return predict(implementations.load(reference), [case], LIMIT)[case]


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_forward(benchmark, cell):
    """The result is right, and this is how long it takes."""
    if missing := implementations.describe(cell.reference).missing:
        pytest.skip(missing)
    expected = predicted(cell.reference, cell.case)
    if not expected.worth_measuring(LIMIT):
        pytest.skip(f"{expected.seconds:.2g} s a call, over the limit of {LIMIT:g} s")
    benchmark_cell(benchmark, cell, expected.seconds, visits_of(expected.seconds))
