"""Verification: right implementations pass, wrong ones are rejected, broken ones are named."""

import re
from pathlib import Path

import numpy as np
import pytest

from forwardbench import implementations
from forwardbench.cases import ACTIVATIONS, DTYPES
from forwardbench.implementations import Implementation
from forwardbench.verify import problems, verify, verify_loaded

CONTENDERS = Path(__file__).parent / "contenders"


def files(folder):
    """Contenders of one kind."""
    return sorted((CONTENDERS / folder).glob("*.py"))


def stem(path):
    """Name a test by its contender."""
    return path.stem


@pytest.mark.parametrize("name", implementations.names())
def test_every_rung_is_verified(name):
    """The suite's own implementations pass all checks."""
    verdict = verify(name)
    assert (verdict.status, verdict.reason) == ("verified", "")
    assert verdict.checks > 70
    assert verdict.error > 0


@pytest.mark.parametrize("path", files("right"), ids=stem)
def test_right_implementations_are_accepted(path):
    """Other orders of summation, layouts and forms of output are right too."""
    verdict = verify(str(path))
    assert (verdict.status, verdict.reason) == ("verified", "")


REJECTIONS = {
    "all_nan": r"nan at \[0, 0\]",
    "cached_by_identity": "with the same array refilled in place",
    "cached_by_input": "with the same input and other weights",
    "flat_output": r"shape \(3,\) instead of \(1, 3\)",
    "half_precision": "float32.*times the bound",
    "lazy": "unfinished work",
    "lazy_on_a_copy": "forward returned unfinished work",
    "nan_corner": r"nan at \[0, 2\]",
    "reused_output": "REUSES_OUTPUT = True",
    "right_once": "on the second call with the same input",
    "tf32": "float32.*times the bound",
    "tf32_when_large": "linear float32.*times the bound",
    "transposed_output": r"shape \(3, 1\) instead of \(1, 3\)",
    "writes_bias": "forward changed the bias of layer 0",
    "wrong_dtype": "dtype float64 instead of float32",
}
"""What the message must say; any other wrong implementation is off by so many bounds."""


@pytest.mark.parametrize("path", files("wrong"), ids=stem)
def test_wrong_implementations_are_rejected(path):
    """Each is rejected, with a message that says what is wrong."""
    verdict = verify(str(path))
    assert verdict.status == "rejected"
    assert verdict.implementation == path.stem
    expected = REJECTIONS.get(path.stem, r"worst at \[\d+, \d+\]: .* instead of .* times the bound")
    assert re.search(expected, verdict.reason), verdict.reason


FAILURES = {
    "crashes": ("failed", "SIGSEGV"),
    "does_not_parse": ("failed", "does not parse: line 2"),
    "exits": ("failed", "exited with status 0 before it had finished"),
    "exits_at_once": ("failed", "exited with status 0 before it had finished"),
    "hangs": ("failed", "did not finish within 2 s"),
    "imports_framework": ("unavailable", "pip install no_such_framework"),
    "needs_framework": ("unavailable", "pip install no_such_framework"),
    "no_forward": ("failed", "has no function forward"),
    "ragged": ("rejected", r"shape \(1, 1\) instead of \(1, 3\)"),
    "raises": ("failed", "raised ValueError: cannot do this shape"),
    "raises_on_import": ("failed", "raised RuntimeError on import: not today"),
    "recurses": ("failed", "RecursionError"),
    "returns_none": ("rejected", r"shape \(\) instead of \(1, 3\)"),
}


@pytest.mark.parametrize("path", files("broken"), ids=stem)
def test_broken_implementations_are_reported_by_name(path):
    """Whatever a file does to its process, the verdict names it and says what happened."""
    verdict = verify(str(path), time_limit=2)
    status, reason = FAILURES[path.stem]
    assert (verdict.implementation, verdict.status) == (path.stem, status)
    assert re.search(reason, verdict.reason), verdict.reason


def plain(x, layers):
    """Compute with NumPy, one matrix product a layer."""
    functions = {
        "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "linear": lambda z: z,
    }
    for weights, bias, activation in layers:
        x = functions[activation](x @ weights + bias)
    return x


def make(forward=plain, to_numpy=lambda out: out):
    """Wrap a function as an implementation."""
    return Implementation("made", forward, lambda layers: layers, lambda x: x, to_numpy, False)


def test_problems_cover_what_the_design_names():
    """Every example, each dimension 1, several layers, saturation and zeros, in both dtypes."""
    all_problems = list(problems())
    for dtype in DTYPES:
        mine = [problem for problem in all_problems if problem.case.dtype == dtype]
        assert {p.case.example for p in mine} >= {"coffee", "pair", "lesson", "ten thousand"}
        assert {p.case.activation for p in mine} == set(ACTIVATIONS)
        assert any(p.case.batch == 1 < p.case.widths[0] for p in mine)
        assert any(p.case.widths[0] == 1 < p.case.widths[-1] for p in mine)
        assert any(p.case.widths[-1] == 1 < p.case.widths[0] for p in mine)
        assert any(len(p.case.widths) > 3 for p in mine)
        assert any(np.abs(p.x).max() == 1000 for p in mine)
        assert any(not p.x.any() for p in mine)
        assert all(p.x.dtype == dtype for p in mine)


def scripted_clock(steps):
    """Make a timer that advances by the given seconds from reading to reading."""
    now, remaining = 0.0, iter(steps)

    def timer():
        nonlocal now
        now += next(remaining)
        return now

    return timer


def clock(compute_little, convert_little, compute_much, convert_much):
    """Readings of five calls with little work and five with much: start, middle, end of each."""
    little, much = [0, compute_little, convert_little] * 5, [0, compute_much, convert_much] * 5
    return scripted_clock(little + much)


def test_conversion_that_grows_with_the_work_is_unfinished_work():
    """One thousand times the work must not make reading an equal result ten times dearer."""
    verdict = verify_loaded(make(), timer=clock(1e-5, 1e-6, 1e-5, 1e-5))
    assert verdict.status == "rejected"
    assert "it took 10 us, turning its result into NumPy 10 us (1 us" in verdict.reason


def test_conversion_that_outlasts_the_computation_is_unfinished_work():
    """A lazy framework's fixed cost may hide the growth, but not that forward did nothing."""
    assert verify_loaded(make(), timer=clock(1e-4, 1e-3, 1e-4, 1e-3)).status == "rejected"


def test_a_slow_copy_from_a_device_is_not_unfinished_work():
    """Reading a result may be slow if it is as slow after a thousandth of the work."""
    assert verify_loaded(make(), timer=clock(5e-5, 2e-5, 5e-5, 2e-5)).status == "verified"


def test_cold_caches_after_long_work_are_not_unfinished_work():
    """Conversion may take longer after much work while it stays far below the work itself."""
    assert verify_loaded(make(), timer=clock(1e-5, 1e-6, 1e-2, 8e-5)).status == "verified"


def test_what_a_contender_raises_late_counts():
    """An implementation that fails on one case only has failed, and its checks are counted."""

    def forward(x, layers):
        if len(layers) > 2:
            raise MemoryError
        return plain(x, layers)

    verdict = verify_loaded(make(forward))
    assert (verdict.status, verdict.reason) == ("failed", "raised MemoryError")
    assert verdict.checks > 4
