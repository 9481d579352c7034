"""What several test files share."""

import copy
import os
import signal

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from builders import run_folders
from builders.contenders import write_contender
from builders.places import CONTENDERS
from builders.tables import MEASURED_LADDER
from forwardbench import processes
from forwardbench.measure import environment
from forwardbench.measure.timing import Judge
from forwardbench.outputs import bundle
from forwardbench.processes.awake import kept_awake
from forwardbench.verification.verify import Nurseries

# What these tests are told is not for a pytest that one of them starts.
for name in [name for name in os.environ if name.startswith(("PYTEST_ADDOPTS", "PYTEST_XDIST"))]:
    del os.environ[name]

# A shell ignores Ctrl-C in what it starts in the background, and all children would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's business, never a reason to fail.
settings.register_profile("forwardbench", deadline=None)
settings.load_profile("forwardbench")


MEASURED = ("only", "enable", "json", "save", "autosave", "compare", "cprofile")
"""Options of pytest-benchmark, without their prefix, that ask for times."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Leave out the exhaustive tests, and use a process for each CPU, unless told otherwise."""
    option = config.option
    if not option.markexpr and not hasattr(config, "workerinput"):
        option.markexpr = "not exhaustive"  # not in `addopts`, which outweigh PYTEST_ADDOPTS
    measures = any(getattr(option, f"benchmark_{name}", None) for name in MEASURED)
    is_told = option.tx or option.numprocesses is not None or hasattr(config, "workerinput")
    if not (is_told or measures or option.usepdb or option.collectonly):
        option.numprocesses = len(processes.own_cpus())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a process of tests which ones to choose: it is not told what was not typed."""
    node.workerinput["markexpr"] = node.config.option.markexpr


def pytest_configure(config):
    """In a process of tests, choose those that its parent has chosen."""
    if hasattr(config, "workerinput"):
        config.option.markexpr = config.workerinput["markexpr"]


SLOW_FIXTURES = {"cluster", "encrypted", "hostile", "chromium", "small_run", "whole_run"}
"""A Dask cluster, a browser, and runs that are really measured: whatever uses one is slow."""
TOGETHER = (
    "cluster/test_hostile.py",
    "commands/test_whole_run.py",
    "measure/test_first_calls_of_a_run.py",
    "outputs/report/test_browser.py",
)
"""Files whose tests share something that takes long to make."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark tests as slow by what they use, and begin with those."""
    for item in items:
        if SLOW_FIXTURES & {*item.fixturenames} or item.get_closest_marker("exhaustive"):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


class Scheduling(LoadScopeScheduling):
    """Gives each process the next test with all its parameters, or the next of these files."""

    def _split_scope(self, nodeid):
        return next((file for file in TOGETHER if file in nodeid), nodeid.partition("[")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share out in this way unless told otherwise."""
    return Scheduling(config, log) if config.getvalue("dist") == "load" else None


LOADED = pytest.StashKey[dict]()
"""Threads and versions in the processes of the benchmarks' contenders."""


@pytest.fixture(scope="session")
def keepers():
    """Keep the contenders' CPU awake, as in a run."""
    with kept_awake(processes.cpus_for(1)) as started:
        yield started


@pytest.fixture(scope="session")
def nurseries(request):
    """Processes for contenders on one thread, as a run has them."""
    with Nurseries("forward") as started:
        yield started
        request.config.stash[LOADED] = started.described()


@pytest.fixture(scope="session")
def judge(nurseries, keepers):
    """Times and judges the benchmarks' cells, as in a run."""
    made = Judge(lambda cell: nurseries.contender(cell.reference), keepers=keepers)
    yield made
    made.close()


def pytest_benchmark_update_machine_info(config, machine_info):
    """Say what the benchmarks ran on, in the same words as a run's workers do."""
    machine_info.update(environment.describe_machine())
    nothing = {"threads": {"cpus": [], "pools": []}, "versions": {}}
    environment.complete_machine_info(machine_info, config.stash.get(LOADED, nothing))


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
