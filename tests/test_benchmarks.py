"""The suite's cells for ``pytest --benchmark-only``, with the names that runs give them.

Plain ``pytest`` skips them. Options that measure well are set here, so that nothing has to
be given on the command line; a cell predicted to take longer than a second a call is
skipped, as in a run.
"""

from functools import cache

import pytest

from forwardbench import implementations
from forwardbench.measure.entries import BENCHMARK_OPTIONS, benchmark_cell
from forwardbench.measure.plan import cells_of
from forwardbench.measure.probe import predict_for
from forwardbench.measure.threads import keep_off_worker_cpus
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
def off_the_contenders_cpus():
    """Leave the CPUs on which cells are timed to them."""
    with keep_off_worker_cpus([1]):
        yield


@pytest.fixture(scope="module")
def predicted(nurseries):
    """How long a call takes, from calls of smaller cases."""

    @cache
    def predict(reference, case):
        with nurseries.contender(reference) as contender:
            return predict_for(contender, [case], LIMIT)[case]

    return predict


@pytest.mark.benchmark(**BENCHMARK_OPTIONS)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_forward(benchmark, judge, predicted, cell):
    """The result is right, and this is how long it takes."""
    if missing := implementations.describe(cell.reference).missing:
        pytest.skip(missing)
    expected = predicted(cell.reference, cell.case)
    if not expected.worth_measuring(LIMIT):
        pytest.skip(f"{expected.seconds:.2g} s a call, over the limit of {LIMIT:g} s")
    benchmark_cell(benchmark, cell, expected.seconds, judge)
