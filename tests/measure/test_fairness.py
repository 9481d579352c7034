"""The rules of docs/fairness.md, held where the rungs really run: in processes of their own."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

from builders.needs import skip_without
from builders.places import ROOT
from builders.requests import planned
from forwardbench import implementations, processes
from forwardbench.cases import DTYPES, Sweep, parse_case
from forwardbench.implementations import requirements
from forwardbench.measure import passes

NAMES = implementations.names()
FRAMEWORK = {name: implementations.describe(name).requires for name in NAMES}
ONE_CASE = Sweep("shapes", "", "", (parse_case("3x4-2"),))
ORIGIN = {"machine": {"cpu": {}}, "commit": {}}
BESIDE = {"tensorflow": "jax", "dask": "cupy"}
"""What imports another framework where that is installed, to convert from it; nothing computes with
it."""
FINISHED = {"dask_array": "ndarray"}
"""Of what kind a result is, where that is not the kind that went in: Dask computes into NumPy."""
LOWER = {
    "CUBLAS_EMULATE_DOUBLE_PRECISION": "1",
    "CUBLAS_EMULATE_SINGLE_PRECISION": "1",
    "CUPY_TF32": "1",
    "DNNL_DEFAULT_FPMATH_MODE": "BF16",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_ENABLE_X64": "0",
    "NVIDIA_TF32_OVERRIDE": "1",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "PYTHONHASHSEED": "0",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
}
"""What somebody may have set for something else."""


def usable(framework):
    """Rungs made of a framework that can be used here."""
    own = [name for name in NAMES if FRAMEWORK[name] == framework]
    return [name for name in own if not implementations.describe(name).missing]


@pytest.fixture
def seen(monkeypatch):
    """What a rung did in a process with its framework's others, amid variables that lower."""

    def see(name):
        skip_without(name)
        for variable, value in LOWER.items():
            monkeypatch.setenv(variable, value)
        return _seen(FRAMEWORK[name])[name]

    return see


@cache
def _seen(framework):
    return processes.call(
        "fairness_child",
        {"names": usable(framework)},
        stall_seconds=120,
        environment={"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *_path()])},
    )


def _path():
    return [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]


@pytest.mark.parametrize("name", NAMES)
def test_a_rung_keeps_the_dtype_and_converts_nothing_in_forward(seen, name):
    """What comes out is of the kind that went in; preparing and to_numpy are never called."""
    calls = seen(name)["calls"]
    for dtype in DTYPES:
        assert calls[dtype]["dtype"] == dtype
        assert calls[dtype]["finite"]
        assert calls[dtype]["out"] == FINISHED.get(name, calls[dtype]["in"])
        # Python's own numbers have one precision; nothing else may change it and be excused.
        assert calls[dtype]["python numbers"] == (name == "python_loops")


@pytest.mark.parametrize("name", NAMES)
def test_precision_is_not_reduced(seen, name):
    """TF32, fast math and lower precisions are off in a rung's process, whoever turned them on."""
    rung = seen(name)
    assert rung["imprecise"] == []
    assert rung["inherited"] == []


def test_every_variable_that_is_kept_from_workers_is_tried():
    """The test above sets each of them."""
    assert set(LOWER) == set(processes.NOT_INHERITED)


@pytest.mark.slow
@pytest.mark.parametrize("framework", sorted(set(FRAMEWORK.values())))
def test_each_framework_has_the_threads_that_were_asked_for_and_no_other_beside_it(framework):
    """Read back in real workers: CPUs, every thread pool, the framework's own word, imports."""
    if not usable(framework):
        skip_without(next(name for name in NAMES if FRAMEWORK[name] == framework))
    for count in (1, 2)[: len(processes.available_cpus())]:
        plan = [planned(name, ONE_CASE, 1.0, threads=count)[0] for name in usable(framework)]
        result = passes.run_pass(plan, "seed", ORIGIN)
        assert result.failures | result.rejected == {}
        for entry in result.benchmark["benchmarks"]:
            ran_on = entry["extra_info"]["ran_on"]
            assert set(ran_on["threads"]) <= {count}, entry["name"]
            assert ran_on["framework"] in (None, count), entry["name"]
            if hasattr(os, "sched_setaffinity"):
                assert ran_on["cpus"] == processes.cpus_for(count)
        versions = result.benchmark["machine_info"]["versions"]
        loaded = {name: each for name, each in versions.items() if name in requirements.PACKAGES}
        beside = requirements.versions(BESIDE.get(framework, ""))
        assert loaded | beside == requirements.versions(framework) | beside


def test_a_worker_has_rungs_of_one_framework_only():
    """Whatever the rungs are: two share a worker if, and only if, they need the same extra."""
    workers = {name: passes._worker_of(planned(name)[0].cell) for name in NAMES}
    for one in NAMES:
        for other in NAMES:
            assert (workers[one] == workers[other]) == (FRAMEWORK[one] == FRAMEWORK[other])


PAGE = (ROOT / "docs" / "fairness.md").read_text()
PACKAGE = ROOT / "src" / "forwardbench"


def test_every_test_file_and_variable_that_the_page_names_is_there():
    """Nobody is pointed at what has been renamed."""
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 10
    assert {name for name in named if f"def {name}(" not in tests} == set()
    for path in re.findall(r"`([\w/]+\.py)`", PAGE):
        assert any((folder / path).is_file() for folder in (ROOT, PACKAGE)), path
    for variable in set(processes.NOT_INHERITED) - {"PYTHONHASHSEED"}:
        assert f"`{variable}`" in PAGE


def test_the_page_says_of_every_rung_what_is_prepared():
    """Each is in one row of that table."""
    table = PAGE.split("## What is prepared")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == NAMES
