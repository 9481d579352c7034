"""Identical code under pytest-benchmark, with its own defaults."""

import pytest

from studies.cells import call, pairs


@pytest.mark.parametrize(("name", "label"), list(pairs()))
def test_identical(benchmark, name, label):
    """One call of a cell."""
    benchmark.extra_info["pair"] = [name, label]
    function, arguments = call(name)
    benchmark(function, *arguments)
