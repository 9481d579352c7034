"""What several test files share."""

import copy
import os

import pytest
from hypothesis import settings

from builders import run_folders
from builders.contenders import write_contender
from builders.places import CONTENDERS
from builders.tables import MEASURED_LADDER
from forwardbench import processes
from forwardbench.measure import environment
from forwardbench.outputs import bundle

# What these tests are told is not for a pytest that one of them starts.
for name in [name for name in os.environ if name.startswith(("PYTEST_ADDOPTS", "PYTEST_XDIST"))]:
    del os.environ[name]

# How long an example takes is the machine's business, never a reason to fail.
settings.register_profile("forwardbench", deadline=None)
settings.load_profile("forwardbench")


MEASURED = ("only", "enable", "json", "save", "autosave", "compare", "cprofile")
"""Options of pytest-benchmark, without their prefix, that ask for times."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Share the tests out to one process a CPU, unless told how many, or to measure or debug."""
    option = config.option
    measures = any(getattr(option, f"benchmark_{name}", None) for name in MEASURED)
    if measures or option.usepdb or option.collectonly:
        option.dist = "no"  # which pytest-benchmark looks at
    elif option.numprocesses is None and not option.tx and not hasattr(config, "workerinput"):
        option.numprocesses = len(processes.own_cpus())


SLOW_FIXTURES = {"cluster", "chromium", "small_run", "whole_run"}
"""A Dask cluster, a browser, and runs that are really measured: whatever uses one is slow."""
SHARED_FIXTURES = {"chromium", "small_run", "whole_run"}
"""Those that are made once, for tests of one process."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark and group tests by what they use, and begin with those that take long."""
    for item in items:
        if SLOW_FIXTURES & {*item.fixturenames}:
            item.add_marker("slow")
        for name in SHARED_FIXTURES & {*item.fixturenames}:
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_benchmark_update_machine_info(machine_info):
    """Say what the benchmarks ran on, in the same words as a run's workers do."""
    machine_info.update(environment.describe_machine())
    environment.complete_machine_info(machine_info)


@pytest.fixture
def contenders():
    """The folder of right, wrong and broken implementations."""
    return CONTENDERS


@pytest.fixture
def bad(tmp_path):
    """Write a contender that computes rightly until it is asked for the larger case."""
    return lambda name, deed: write_contender(tmp_path / f"{name}.py", deed)


@pytest.fixture
def write_run(tmp_path):
    """Write a run folder, by name, with the given seconds."""

    def write(times, *, name="run", **options):
        return run_folders.write_run(tmp_path / name, times, **options)

    return write


@pytest.fixture
def two_runs(write_run):
    """Write two runs: the second with its own factor for each implementation."""

    def write(factors=(1.0, 1.0), machine=1.0, **changes):
        first, second = run_folders.times_of_two_runs(factors, machine)
        return write_run(first, name="a"), write_run(second, name="b", **changes)

    return write


@pytest.fixture
def make_bundle(write_run):
    """Make the results of a run written with `write_run`, and all that is made of them."""

    def make(times, *, asked_baseline=None, **options):
        return bundle.load(write_run(times, **options), asked_baseline)

    return make


@pytest.fixture
def make_table(make_bundle):
    """Make the table of a run written with `write_run`."""
    return lambda times, **options: make_bundle(times, **options).table


@pytest.fixture
def ladder():
    """Times of three implementations and a control at five sizes, in three passes."""
    return copy.deepcopy(MEASURED_LADDER)
