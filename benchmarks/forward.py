"""The suite's cells for asv: time and peak memory of every implementation.

asv runs this file against every commit it is asked about, so it takes what that commit
has: an implementation or a case that it lacks is skipped, never an error. Commits from before
`forwardbench.workloads` keep in `forwardbench.cases` what lies in the workload's file today.

There is no ``setup``: with one, asv 0.6.6 times each call by itself, and a call of half a
microsecond is then mostly clock. Preparation is kept for the life of the process instead.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented

from forwardbench import cases, implementations
from forwardbench.measure import probe

try:
    workload: Any = importlib.import_module("forwardbench.workloads.forward")
    VERSION = workload.VERSION
except ModuleNotFoundError:
    workload = cases
    VERSION = workload.WORKLOAD_VERSION

LIMIT = 1.0
"""Seconds; a call predicted to be slower is skipped."""

SQUARE = ["1x1-1", "4x4-4", "16x16-16", "64x64-64", "256x256-256", "1024x1024-1024"]
COURSE = ["1x2-3", "1x2-2", "3x4-2", "10000x3-1"]


@cache
def prepare(implementation: str, text: str) -> tuple[Callable[[Any, Any], Any], Any, Any]:
    """Return ``forward``, its input and its layers, after a first call that is not timed."""
    if implementation not in implementations.names():
        raise SkipNotImplemented(f"this commit has no implementation {implementation}")
    try:
        loaded = implementations.load(implementation)
    except implementations.MissingExtraError as error:
        raise SkipNotImplemented(f"{implementation} {error}") from None
    case = find_case(text)
    if not probe.predict(loaded, [case], LIMIT)[case].worth_measuring(LIMIT):
        raise SkipNotImplemented(f"{implementation} at {text} is predicted above {LIMIT} s")
    x, layers = workload.make_inputs(case)
    ready, (forward, prepared) = loaded.prepare_layers(layers), take_input(loaded, x)
    forward(prepared, ready)
    return forward, prepared, ready


def take_input(loaded: Any, x: Any) -> tuple[Callable[[Any, Any], Any], Any]:
    """Return the function of an implementation, and an input in the form that it takes."""
    if hasattr(loaded, "compute"):
        (prepared,) = loaded.prepare_data([x])
        return loaded.compute, prepared
    return loaded.forward, loaded.prepare_input(x)


def find_case(text: str) -> cases.Case:
    """Take a case from the sweeps, with its activation and its example's numbers."""
    for name in ("course", "square"):
        sweep = workload.SWEEPS[name]
        for case in sweep.cases:
            if str(case) == text:
                found: cases.Case = case
                return found
    raise SkipNotImplemented(f"this commit has no case {text}")


class Forward:
    """One call of ``forward``, prepared as everywhere else in the suite.

    The time includes finding what was prepared, about 0.2 us: it matters when the smallest
    cases are compared with each other, not when commits are. `asv run --quick` makes a
    single call, which prepares: its times mean nothing, as asv says.
    """

    params = (implementations.names(), SQUARE + COURSE)
    param_names = ("implementation", "case")
    version = str(VERSION)  # results of other inputs are not compared
    timeout = 60
    rounds = 2
    repeat = (3, 10, 1.0)  # samples a round: at least, at most, and for how many seconds
    min_run_count = 1
    warmup_time = 0.02
    sample_time = 0.005

    def time_forward(self, implementation: str, case: str) -> None:
        """Seconds a call."""
        forward, x, layers = prepare(implementation, case)
        forward(x, layers)

    def peakmem_forward(self, implementation: str, case: str) -> None:
        """Most memory the process had in use."""
        forward, x, layers = prepare(implementation, case)
        forward(x, layers)
