"""Verification: right implementations pass, wrong ones are rejected, broken ones are named."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from builders.contenders import judged
from builders.needs import skip_without
from builders.places import CONTENDERS
from builders.requests import planned
from forwardbench import implementations
from forwardbench.cases import ACTIVATIONS, DTYPES, Sweep, parse_case
from forwardbench.implementations import Implementation
from forwardbench.measure.passes import run_pass
from forwardbench.verification import behaviour
from forwardbench.verification.case_families import problems
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import Reading, Rounds
from forwardbench.verification.upbringing import in_this_process
from forwardbench.verification.verify import verify, verify_all
from forwardbench.workloads import get


def files(folder):
    """Contenders of one kind."""
    paths = (CONTENDERS / folder).glob("*.py")
    return sorted(path for path in paths if path.stem != "honest")


def stem(path):
    """Name a test by its contender."""
    return path.stem


@cache
def verdicts(folder):
    """Verdicts on all contenders of one kind, by name."""
    found = verify_all([*map(str, files(folder))], seed=1)
    return {each.implementation: each for each in found}


LIGHT = {name for name in implementations.names() if not implementations.describe(name).requires}
"""The suite's own rungs that need no framework, which share a process."""


@cache
def verdicts_on_light_rungs():
    """Verdicts on those, by name."""
    return {verdict.implementation: verdict for verdict in verify_all(sorted(LIGHT))}


def assert_verified(verdict):
    """All checks are passed, and errors are within their bounds."""
    assert (verdict.status, verdict.reason) == ("verified", "")
    compiles = implementations.describe(verdict.implementation).compiles
    assert verdict.checks == (132 if compiles else 165)
    assert 0 < verdict.share <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LIGHT))
def test_every_rung_is_verified(name):
    """The suite's own implementations are right by all checks."""
    skip_without(name)
    assert_verified(verdicts_on_light_rungs()[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*implementations.names()} - LIGHT))
def test_every_rung_of_a_framework_is_verified(name):
    """They are so too, each in a process of its own."""
    skip_without(name)
    assert_verified(verify(name))


@pytest.mark.slow
@pytest.mark.parametrize("path", files("right"), ids=stem)
def test_right_implementations_are_accepted(path):
    """Other orders of summation, layouts and forms of output are right too."""
    verdict = verdicts("right")[path.stem]
    assert (verdict.status, verdict.reason) == ("verified", "")


REJECTIONS = {
    "batch_fixed_at_first_call": r"in a batch of 1 after other sizes: .*shape \(4, 3\)",
    "buffer_across_networks": "REUSES_OUTPUT = True",
    "cached_in_wrapper": "forward remembers its answers",
    "lazy_in_large_batches": "forward returned unfinished work",
    "memo_by_content": "forward remembers its answers",
    "not_waited_for": "forward returned (unfinished work|before its work was done)",
    "all_nan": r"nan at \[0, 0\]",
    "cached_by_identity": "with the same array refilled in place",
    "cached_by_input": "with the same input and another network",
    "flat_output": r"shape \(3,\) instead of \(1, 3\)",
    "half_precision": "float32.*times the bound",
    "lazy": "unfinished work",
    "lazy_on_a_copy": "forward returned unfinished work",
    "nan_corner": r"nan at \[0, 2\]",
    "reused_output": "REUSES_OUTPUT = True",
    "right_once": "on the second call with the same input",
    "tf32": "float32.*times the bound",
    "tf32_when_large": "float32.*times the bound",
    "transposed_output": r"shape \(3, 1\) instead of \(1, 3\)",
    "writes_bias": "forward changed the bias of layer 0",
    "wrong_dtype": "dtype float64 instead of float32",
}
"""What the message must say; any other has one of the usual reasons."""
ANY_REASON = (
    r"worst at \[\d+, \d+\]: .* instead of .* times the bound|of their bounds on average"
    "|forward returned unfinished work|forward remembers its answers|may run on CPUs"
)


REJECTED_IN_A_RUN = {
    "clock_call_count": ("16x16-16", 5e-06, "remembers its answers"),
    "clock_cpu_time": ("32x32-32", 5e-06, "remembers its answers"),
    "clock_tight_loop": ("64x64-64", 2e-05, "remembers its answers"),
    "coarse_float32_large": ("256x256-256", 1e-03, "worst at|bounds on average"),
    "coarse_split_float32": ("256x256-256", 1e-03, "worst at|bounds on average"),
    "coarse_tf32_large": ("256x256-256", 1e-03, "worst at|bounds on average"),
    "escape_forked_helper": ("384x384-384", 4e-03, "may run on CPUs"),
    "later_patch_thread": ("64x64-64", 2e-05, "remembers its answers"),
    "later_patch_to_numpy": ("128x128-128", 1e-04, "unfinished work"),
    "later_square_only": ("256x256-256", 1e-03, "unfinished work"),
    "memory_after_20": ("64x64-64", 2e-05, "remembers its answers"),
    "memory_at_random": ("64x64-64", 2e-05, "remembers its answers"),
    "memory_big_batches": ("256x256-256", 1e-03, "remembers its answers"),
    "memory_disk": ("256x512-256", 2e-03, "remembers its answers"),
    "memory_every_second": ("64x64-64", 2e-05, "remembers its answers"),
    "memory_fades_in": ("64x64-64", 2e-05, "remembers its answers"),
    "memory_first_layer": ("64x512-128-16", 3e-04, "remembers its answers"),
    "memory_nine_of_ten": ("64x64-64", 2e-05, "remembers its answers"),
    "memory_third_call": ("128x128-128", 1e-04, "remembers its answers"),
    "memory_three_of_four": ("64x64-64", 2e-05, "remembers its answers"),
    "nowhere_deep": (
        "64x64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64",
        3e-04,
        "worst at|bounds on average",
    ),
    "nowhere_middle_calls": ("64x64-64", 2e-05, "remembers its answers"),
    "nowhere_one_shape": ("200x200-200", 5e-04, "worst at|bounds on average"),
    "memory_of_the_input_before": ("64x64-64", 2e-05, "worst at"),
    "prepared_three_quarters": ("64x64-64", 2e-05, "its prepare_input computes"),
    "reused_output_of_one_shape": ("64x64-64", 2e-05, "worst at"),
    "single_in_the_first_call": ("64x64-64", 2e-05, "worst at|bounds on average"),
    "spread_empty_first": ("64x64-64", 2e-05, "worst at|remembers its answers"),
    "spread_over_calls": ("64x64-64", 2e-05, "worst at"),
    "spread_over_calls_declared": ("64x64-64", 2e-05, "worst at"),
}
"""What only timing shows: at which shape, the seconds of a call there, and what the reason says."""


def timed_only(path):
    """Whether a wrong implementation shows only when it is timed."""
    return path.stem in REJECTED_IN_A_RUN


@pytest.mark.parametrize(
    "path", [path for path in files("wrong") if not timed_only(path)], ids=stem
)
def test_wrong_implementations_are_rejected(path):
    """Each is rejected, with a message that says what is wrong."""
    verdict = verdicts("wrong")[path.stem]
    assert verdict.status == "rejected"
    expected = REJECTIONS.get(path.stem, ANY_REASON)
    assert re.search(expected, verdict.reason), verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize("path", list(filter(timed_only, files("wrong"))), ids=stem)
def test_what_is_wrong_only_when_timed_is_rejected_in_a_run(path):
    """Its cell has the reason and no figure that anything else would show."""
    shape, seconds, reason = REJECTED_IN_A_RUN[path.stem]
    dtype = "float32" if "tf32" in path.stem else "float64"
    case = parse_case(shape, dtype=dtype)
    (cell, *_) = planned(path, Sweep("shapes", "", "", (case,)), seconds)
    # Some begin only after so much time that few visits are over before it.
    result = run_pass([cell], "seed", {"machine": {"cpu": {}}, "commit": {}}, most_visits=6)
    assert result.failures == {}
    assert re.search(reason, result.rejected[str(cell.cell)])


FAILURES = {
    "crashes": ("failed", "SIGSEGV"),
    "does_not_parse": ("failed", "does not parse: line 2"),
    "exits": ("failed", "exited with status 0 before it had finished"),
    "exits_at_once": ("failed", "exited with status 0 before it had finished"),
    "hangs": ("failed", "did not finish within 3 s"),
    "imports_framework": ("unavailable", "^needs no_such_framework, which is not installed: its "),
    "lacks_a_library": ("unavailable", r"^cannot be used here: libtensors\.so\.3: cannot open"),
    "needs_framework": ("unavailable", "^needs no_such_framework, which is not installed: its "),
    "no_forward": ("failed", "has no function forward"),
    "ragged": ("rejected", r"shape \(1, 1\) instead of \(1, 3\)"),
    "floods_stderr": ("failed", r"exited with status 9 before it had finished: (no)+n?\.\.\.$"),
    "raises_lines": ("failed", r"ValueError: first second \?\[31m red$"),
    "strange_requirement": (
        "unavailable",
        "^needs something that its file does not name as a module: see REQ",
    ),
    "raises": ("failed", "raised ValueError: cannot do this shape"),
    "raises_on_import": ("failed", "raised on import: RuntimeError: not today"),
    "recurses": ("failed", "RecursionError"),
    "returns_none": ("rejected", r"shape \(\) instead of \(1, 3\)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", files("broken"), ids=stem)
def test_broken_implementations_are_reported_by_name(path):
    """Whatever a file does to its process, the verdict names it and says what happened."""
    limit: dict[str, Any] = {"time_limit": 3} if path.stem == "hangs" else {}
    verdict = verify(str(path), **limit)
    status, reason = FAILURES[path.stem]
    assert (verdict.implementation, verdict.status) == (path.stem, status)
    assert re.search(reason, verdict.reason), verdict.reason


def plain(x, layers):
    """Compute with NumPy, one matrix product a layer."""
    functions: dict[str, Callable] = {
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
    return Implementation("made", get("forward"), forward, to_numpy=to_numpy)


def test_problems_cover_what_the_design_names():
    """Every example, each dimension 1, several layers, saturation and zeros, in both dtypes."""
    all_problems = list(problems(get("forward")))
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


def reading_in(*script):
    """A right contender whose times are made up: of a call, of reading its result, and waits."""
    contender = in_this_process(make())
    remaining, waits, run = itertools.cycle(script), [], contender.run

    def run_on_a_framework(*arguments, **options):
        return run(*arguments, **options)._replace(plain=False)

    vars(contender).update(run=run_on_a_framework)

    def reading(network, data, wait=0.0):
        waits.append(wait)
        computing, new = next(remaining)
        return Reading([computing], [new], [new])

    vars(contender).update(reading=reading)
    return contender, waits


def test_reading_that_grows_with_the_work_is_unfinished_work():
    """One thousand times the work must not make reading an equal result ten times dearer."""
    contender, _ = reading_in(*[(1e-5, 1e-6)] * 5, *[(1e-5, 1e-5)] * 5)
    with pytest.raises(WrongResultError, match=r"it took 10 us, .* NumPy 10 us \(.* 1 us\)"):
        behaviour.check_finished(contender)


def test_a_slow_copy_from_a_device_is_not_unfinished_work():
    """Reading a result may be slow, even slower than computing, if it always is."""
    contender, _ = reading_in((5e-5, 3e-4))
    behaviour.check_finished(contender)


def test_cold_caches_after_long_work_are_not_unfinished_work():
    """Reading may take longer after much work while it stays far below the work itself."""
    contender, _ = reading_in(*[(1e-5, 1e-6)] * 5, *[(9e-3, 8e-5)] * 5)
    behaviour.check_finished(contender)


def test_a_result_that_is_quicker_after_a_while_was_not_waited_for():
    """Work that goes on behind forward's back shows in how long its result takes to read."""
    contender, waits = reading_in((1e-5, 1e-4), (1e-5, 2e-6))
    with pytest.raises(WrongResultError, match="100 us to read at once and 2 us later"):
        behaviour.check_not_asynchronous(contender)
    assert waits == [0.0, 0.02] * 32  # on two cases, and three times more, to be sure
    contender, _ = reading_in((1e-5, 1e-4), (1e-5, 9e-5))
    behaviour.check_not_asynchronous(contender)


def test_a_read_with_cold_caches_is_no_unfinished_work():
    """Where much more work makes reading no slower, all of it was waited for."""
    little, much = [(1e-4, 4e-5), (1e-4, 5e-6)] * 4, [(1e-3, 6e-5), (1e-3, 5e-6)] * 4
    contender, _ = reading_in(*little, *much)
    behaviour.check_not_asynchronous(contender)


def test_an_answer_that_comes_faster_the_second_time_is_remembered():
    """The same input costs the same again, or forward did not compute."""
    contender = in_this_process(make())
    for first, second in ((6e-5, 1e-6), (6e-5, 4e-5)):
        made = Rounds([0.0], [first], [first + second], [0.0], 1)
        vars(contender).update(run=lambda *arguments, made=made: made)
        if second < first / 3:
            with pytest.raises(WrongResultError, match="60 us for an input it had not seen, 1 us"):
                behaviour.check_no_memory(contender)
        else:
            behaviour.check_no_memory(contender)


def test_a_file_that_parses_no_compiler_is_reported(tmp_path):
    """Even what exhausts the parser costs one line."""
    (tmp_path / "deep.py").write_text("x = " + "-" * 200_000 + "1\n")
    verdict = verify(str(tmp_path / "deep.py"))
    assert verdict.status == "failed"
    assert verdict.reason.startswith("raised on import: MemoryError")


def test_a_file_that_has_gone_is_reported(tmp_path):
    """A contender may delete another's file; the others go on."""
    verdict = verify(str(tmp_path / "gone.py"))
    assert (verdict.implementation, verdict.status) == ("gone", "failed")


def test_what_a_contender_raises_late_counts():
    """An implementation that fails on one case only has failed, and its checks are counted."""

    def forward(x, layers):
        if len(layers) > 2:
            raise MemoryError
        return plain(x, layers)

    verdict = judged(make(forward))
    assert (verdict.status, verdict.reason) == ("failed", "raised MemoryError")
    assert verdict.checks > 4


@pytest.mark.parametrize("answer", [1.5, -1, True, None])
def test_a_thread_count_that_is_none_is_rejected(answer):
    """What a file says of its framework's threads is a whole number."""
    verdict = judged(replace(make(), thread_count=lambda: answer))
    assert verdict.status == "rejected"
    assert verdict.reason.startswith(f"thread_count() returned {answer!r}")


@pytest.mark.slow
def test_asking_for_threads_cannot_finish_work_that_forward_left(tmp_path):
    """Results are checked before anything else of a file is called."""
    path = tmp_path / "late.py"
    path.write_text(LATE)
    assert verify(str(path)).status == "verified"
    origin = {"machine": {"cpu": {}}, "commit": {}}
    plan = planned(str(path), seconds=1e-6)
    assert len(run_pass(plan, "seed", origin).rejected) == len(plan)


LATE = '''
"""Leaves its work undone after many calls, and does it when asked for its threads."""
import numpy as np

G = {"sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, "relu": lambda z: np.maximum(z, 0),
     "tanh": np.tanh, "linear": lambda z: z}
state = {"calls": 0, "left": None}


def compute(x, layers):
    for w, b, g in layers:
        x = G[g](x @ w + b)
    return x


def forward(x, layers):
    state["calls"] += 1
    if state["calls"] < 1000:
        return compute(x, layers)
    out = np.zeros((len(x), layers[-1].weights.shape[1]), x.dtype)
    state["left"] = out, x, layers
    return out


def thread_count():
    if state["left"]:
        out, x, layers = state["left"]
        out[:] = compute(x, layers)
    return 1
'''
