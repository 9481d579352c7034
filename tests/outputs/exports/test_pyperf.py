"""A suite for pyperf, checked by pyperf."""

import subprocess
import sys
from dataclasses import replace

import pyperf
import pytest
from hypothesis import given

from builders.exports import write
from builders.names import NAMES, TWO_NAMES, rename, with_fixtures
from forwardbench import __version__
from forwardbench.outputs.bundle import Bundle


def with_origin(bundle, **changes):
    """The same results from elsewhere."""
    origin = replace(bundle.results.origin, **changes)
    return Bundle(replace(bundle.results, origin=origin))


def ask_pyperf(*arguments):
    """What pyperf prints when it is started as its users start it."""
    command = [sys.executable, "-m", "pyperf", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_pyperf_compares_two_runs(make_bundle, tmp_path):
    """It prints the ratios that the times have, cell by cell."""
    files = []
    for name, factor in (("before", 1.0), ("after", 0.4)):
        times = {
            "python_loops": {"4x4-4": [1e-6, 1.01e-6, 0.99e-6]},
            "matmul": {"4x4-4": [factor * each for each in (5e-6, 5.05e-6, 4.95e-6)]},
        }
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(write("pyperf", make_bundle(times, name=name)))
    said = ask_pyperf("compare_to", *files)
    assert (
        "matmul/square/4x4-4/float64/1 thread: Mean +- std dev: "
        "[before] 5.00 us +- 0.05 us -> [after] 2.00 us +- 0.02 us: 2.50x faster"
    ) in said
    assert (
        "Benchmark hidden because not significant (1): python_loops/square/4x4-4/float64/1 thread"
    ) in said
    assert "Geometric mean: 1.58x faster" in said


def test_pyperf_counts_a_pass_as_a_run(mixed, tmp_path):
    """Three passes of which one has no time are two runs of one value each."""
    file = tmp_path / "run.json"
    file.write_text(write("pyperf", mixed))
    stats = ask_pyperf("stats", file)
    assert "Number of benchmarks: 4" in stats
    of_matmul = stats.split("matmul/square/4x4-4/float64/1 thread")[1].split("Maximum:")[0]
    for line in ("run with values: 2", "value per run: 1", "Minimum: 1.00 us", "Mean:    1.05 us"):
        assert line in of_matmul
    assert "Mean +- std dev: 1.05 us +- 0.07 us" in ask_pyperf("show", "--quiet", file)


def test_pyperf_shows_what_is_known_of_the_machine(mixed, tmp_path):
    """By pyperf's own names where it has one; what is not known is left out, as are host names."""
    facts = {**mixed.results.origin.facts, "system": "Linux 6.1", "Python": "3.12.1"}
    suite = pyperf.BenchmarkSuite.loads(write("pyperf", with_origin(mixed, facts=facts)))
    assert suite.get_metadata() == {
        "unit": "second",
        "cpu_model_name": "Made-up CPU",
        "cpu_count": 2,
        "platform": "Linux 6.1",
        "python_version": "3.12.1",
        "blas": "OpenBLAS 0.3 Test",
        "commit": "0123456789",
        "workload_version": "1",
        "timed_by": "forwardbench",
        "forwardbench_version": __version__,
    }


@pytest.mark.parametrize(
    ("hardware", "cpu", "count"),
    [
        ("AMD EPYC, 2 CPUs", "AMD EPYC", 2),
        ("Intel, Inc. X, 64 CPUs", "Intel, Inc. X", 64),
        ("2 CPUs", None, 2),
        ("AMD EPYC", "AMD EPYC", None),
        ("AMD EPYC, 0 CPUs", "AMD EPYC", None),
        ("", None, None),
    ],
)
def test_pyperf_takes_cpu_and_count_apart(hardware, cpu, count, mixed):
    """Either may be missing, and pyperf refuses an empty text and a count of none."""
    text = write("pyperf", with_origin(mixed, hardware=hardware))
    metadata = pyperf.BenchmarkSuite.loads(text).get_metadata()
    assert (metadata.get("cpu_model_name"), metadata.get("cpu_count")) == (cpu, count)


@pytest.mark.slow
@given(names=TWO_NAMES, fact=NAMES)
@with_fixtures
def test_pyperf_reads_hostile_names_and_facts(names, fact, mixed):
    """Every cell is a benchmark of its own with the values that it has."""
    whole = with_origin(mixed, facts={"Python": fact, "system": fact}, hardware=fact)
    whole = Bundle(replace(whole.results, commit=fact))
    suite = pyperf.BenchmarkSuite.loads(write("pyperf", rename(whole, names)))
    values = [benchmark.get_values() for benchmark in suite.get_benchmarks()]
    assert values == [
        (4e-6, 4e-6, 4e-6),
        (1e-6, 1.1e-6),
        (2e-6, 2e-6, 2e-6),
        (4e-6, 4.2e-6, 3.9e-6),
    ]
