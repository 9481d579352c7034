"""How one cell is timed, with a stand-in for pytest-benchmark that counts what it runs."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from forwardbench.cases import parse_case
from forwardbench.measure import timing
from forwardbench.records import Cell
from forwardbench.workloads.forward import count_bytes


class Benchmark:
    """Runs what it is given as often as it is told, and says that each round took 1 ms."""

    def __init__(self):
        self.group, self.extra_info, self.stats = None, {}, None

    def pedantic(self, target, args, rounds):
        """Call the target once a round."""
        self.stats = SimpleNamespace(stats=SimpleNamespace(data=[1e-3] * rounds), iterations=1)
        for _ in range(rounds):
            result = target(*args)
        return result


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """Write a contender that counts its calls and preparations; nothing is kept from before."""
    monkeypatch.setattr(timing, "_kept", {})
    monkeypatch.setattr(timing, "_rounds", {})
    path = tmp_path / "counting.py"
    path.write_text(
        "import numpy as np, time\n"
        "calls, prepared, inputs, slow = [], [], [], []\n"
        "def prepare_layers(layers):\n"
        "    prepared.append(1); time.sleep(sum(slow)); return layers\n"
        "def prepare_input(x):\n    inputs.append(x); return x\n"
        "def forward(x, layers):\n"
        "    calls.append(1)\n"
        "    for w, b, g in layers:\n        x = 0.5 * np.tanh(0.5 * (x @ w + b)) + 0.5\n"
        "    return x\n"
    )

    def count(name):
        return getattr(timing._loaded(str(path), "forward").compute, "__globals__")[name]  # noqa: B009

    def cell(shape="2x3-2", control=False):
        return Cell("counting", str(path), "shapes", parse_case(shape), control=control)

    return SimpleNamespace(cell=cell, count=count)


def visit(cell, seconds=1e-5, **options):
    """Visit a cell and return the stand-in."""
    benchmark = Benchmark()
    timing.benchmark_cell(cast(BenchmarkFixture, benchmark), cell, seconds, **options)
    return benchmark


def test_visits_are_alike_and_each_is_warmed_up_by_one_call(counting):
    """The first chooses iterations and rounds; later ones repeat them, after one call more."""
    first = visit(counting.cell(), last=False)
    iterations, rounds = timing._rounds[counting.cell()]
    before = len(counting.count("calls"))
    second = visit(counting.cell(), last=False)
    assert len(counting.count("calls")) - before == 1 + iterations * rounds
    assert second.stats.iterations == first.stats.iterations == iterations
    assert second.stats.stats.data == pytest.approx([1e-3 / iterations] * rounds)
    assert len(counting.count("prepared")) == 1


def test_the_time_in_calls_is_kept(counting):
    """Rounds of 1 ms each; and what warming up took, and the CPU time of the rounds."""
    info = visit(counting.cell(), last=False).extra_info
    assert info["timed_seconds"] == pytest.approx(1e-3 * timing._rounds[counting.cell()].rounds)
    assert 0 < info["warming_seconds"] < 1
    assert 0 < info["timed_cpu_seconds"] < 1


def test_a_call_too_slow_for_five_visits_is_not_repeated_to_warm_up(counting):
    """Beyond five visits' worth: one call before the first, none before later ones."""
    slow = 1.01 * timing.SLOW_SECONDS / timing.VISITS
    visit(counting.cell(), slow, last=False)
    assert len(counting.count("calls")) == 2
    visit(counting.cell(), slow, last=False)
    assert len(counting.count("calls")) == 3


def test_a_call_slower_than_a_visit_is_a_round_of_its_own(counting):
    """With its warm-up: two calls a visit."""
    for calls in (2, 4):
        visit(counting.cell(), 2 * timing.VISIT_SECONDS, last=False)
        assert len(counting.count("calls")) == calls


def test_large_cases_are_prepared_anew_for_each_visit(counting):
    """Where arrays lie is drawn again each time, unless preparing is dear."""
    large = counting.cell("1x256-256")
    assert count_bytes(large.case) > timing.SMALL_BYTES
    for _ in range(3):
        visit(large, last=False)
    assert len(counting.count("prepared")) == 3
    counting.count("slow").append(2 * timing.SLOW_PREPARATION_SECONDS)
    for _ in range(3):
        visit(large, last=False)
    assert len(counting.count("prepared")) == 4


def test_no_two_cells_share_an_array(counting):
    """Neither a cell and its control, nor two preparations of one cell."""
    for control in (False, True):
        visit(counting.cell(control=control), last=False)
    first, second = counting.count("inputs")
    assert np.array_equal(first, second)
    assert not np.shares_memory(first, second)


def test_results_are_checked_after_the_last_visit_only(counting, monkeypatch):
    """The last of the timed results, and that of another input."""
    checked = []

    def check_output(implementation, case, out, other_input):
        checked.append(other_input)
        return SimpleNamespace(error=1e-16)

    monkeypatch.setattr(timing, "check_output", check_output)
    assert "error" not in visit(counting.cell(), last=False).extra_info
    assert checked == []
    assert visit(counting.cell()).extra_info["error"] == 1e-16
    assert checked == [False, True]
    assert timing._kept == {}


@pytest.mark.parametrize(
    ("seconds", "visits"), [(1e-7, 5), (0.02, 5), (0.021, 4), (0.05, 2), (0.051, 1), (10.0, 1)]
)
def test_slow_calls_get_fewer_visits(seconds, visits):
    """As many as fit into a tenth of a second, five at most and one at least."""
    assert timing.visits_of(seconds) == visits


def test_a_repeated_call_returns_the_last_result():
    """And is made exactly as often as asked."""
    for count in (1, 2, 3, 4):  # of arguments
        calls = iter(range(10))
        assert timing._repeat(lambda *arguments: next(calls), (None,) * count, 4) == 3  # noqa: B023
