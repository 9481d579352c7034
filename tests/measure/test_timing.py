"""How one cell is timed and judged, with a contender in this process and a clock that it moves."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from forwardbench.cases import parse_case
from forwardbench.implementations import Implementation
from forwardbench.measure import timing
from forwardbench.measure.inputs import draw_changes
from forwardbench.measure.timing import Judge
from forwardbench.records import Cell
from forwardbench.verification import contender_process, rounds
from forwardbench.verification.check import WrongResultError
from forwardbench.verification.contender import ContenderFailedError
from forwardbench.verification.upbringing import in_this_process
from forwardbench.workloads import get

CALL = 1e-4
"""Seconds that a call takes by the contender's clock."""


def right(x, layers):
    """Compute with NumPy."""
    for weights, bias, _ in layers:
        x = 0.5 * np.tanh(0.5 * (x @ weights + bias)) + 0.5
    return x


BENCHES: list["Bench"] = []
"""The last one's clock runs."""


class Bench:
    """A judge, the contenders that it starts, and the one clock of all of them."""

    def __init__(self, forward=right, call_seconds=CALL, prepare_input=None):
        BENCHES.append(self)
        self.now, self.cpu, self.share = 0.0, 0.0, 1.0
        self.seconds = call_seconds
        self.forward = forward
        self.inputs, self.started, self.preparing = [], [], 0.0
        prepare = (prepare_input,) if prepare_input else ()
        self.implementation = Implementation(
            "made", get("forward"), self.compute, self.prepare_layers, prepare
        )
        self.judge = Judge(self.start, lambda: self.now, seed=7)

    def prepare_layers(self, layers):
        """Take the time that preparing takes."""
        self.now += self.preparing
        return layers

    def compute(self, x, layers):
        """Let the clock move, and the CPU time by the share that is not lost."""
        self.inputs.append(x)
        self.now += self.seconds
        self.cpu += self.seconds * self.share
        return self.forward(x, layers)

    def start(self, cell):
        """Load the contender once more, as in a new process."""
        contender = in_this_process(self.implementation, lambda: self.now)
        state = SimpleNamespace(ended=False)
        vars(contender).update(
            cpu_seconds=lambda: (self.cpu, 0.0), end=lambda: setattr(state, "ended", True)
        )
        self.started.append(state)
        return contender

    def visit(self, cell, seconds=CALL, last=False):
        """Visit a cell; returns what came of it, with the seconds a call of its last rounds."""
        visits = [self.judge.visit(cell, seconds, last=last)]
        while visits[-1].again:
            visits.append(self.judge.visit(cell, seconds, last=True))
        visit = visits[-1]
        return SimpleNamespace(
            count=len(visits),
            iterations=visit.iterations,
            seconds=[one.seconds / visit.iterations for one in visit.rounds],
            timed_seconds=sum(one.seconds for one in visit.rounds),
            warming_seconds=sum(each.warming_seconds for each in visits),
            accuracy=visit.accuracy,
        )


@pytest.fixture(autouse=True)
def cpu_time(monkeypatch):
    """The CPU time of rounds is that of the bench whose clock runs."""
    monkeypatch.setattr("time.process_time", lambda: BENCHES[-1].cpu)


def cell(shape="2x3-2", **options):
    """A cell of the contender that is made here."""
    return Cell("made", "matmul", "shapes", parse_case(shape), **options)


def test_the_first_visit_chooses_rounds_and_all_are_alike():
    """Rounds of a millisecond, visits of five; and one call before each visit."""
    bench = Bench()
    first = bench.visit(cell())
    assert first.iterations == 11
    assert first.seconds == pytest.approx([CALL] * 5)
    assert first.timed_seconds == pytest.approx(55 * CALL)
    before = len(bench.inputs)
    assert bench.visit(cell()).seconds == pytest.approx([CALL] * 5)
    assert len(bench.inputs) - before == 1 + 5 * 11
    assert len(bench.started) == 1


def test_every_round_has_new_numbers_and_they_are_the_seed_s():
    """No round repeats the input of an earlier one, and another judge with the seed repeats all."""

    def seen():
        bench = Bench(call_seconds=2e-3)
        inputs = []

        def forward(x, layers):
            inputs.append(x.copy())
            return right(x, layers)

        bench.forward = forward
        for _ in range(3):
            bench.visit(cell(), 2e-3)
        return inputs

    inputs = seen()
    different = {x.tobytes() for x in inputs}
    assert len(different) == 1 + 3 * 2  # what warms up is always the same
    np.testing.assert_array_equal(inputs, seen())


def test_rounds_write_new_numbers_into_the_same_arrays():
    """So whoever knows an array by its place knows nothing."""
    bench = Bench(call_seconds=2e-3)
    bench.visit(cell(), 2e-3)
    places = {id(x) for x in bench.inputs}
    bench.visit(cell(), 2e-3)
    assert {id(x) for x in bench.inputs} == places


def test_a_slow_call_warms_itself_up():
    """From 50 ms on a cell has one call, unless that one takes much longer than expected."""
    bench = Bench(call_seconds=0.06)
    assert bench.visit(cell(), 0.06, last=True).timed_seconds == pytest.approx(0.06)
    assert len(bench.inputs) == 1
    bench = Bench(call_seconds=0.06)
    assert bench.visit(cell(), 0.03 + 0.009, last=True).warming_seconds > 0
    bench = Bench(call_seconds=0.1)
    bench.visit(cell(), 0.06, last=True)
    assert len(bench.inputs) == 2


def test_a_slow_call_that_compiles_is_warmed_up(monkeypatch):
    """Its first call is another thing altogether."""
    monkeypatch.setattr(timing, "compiles", lambda reference: True)
    bench = Bench(call_seconds=0.06)
    bench.visit(cell(), 0.06, last=True)
    assert len(bench.inputs) == 2


@pytest.mark.parametrize("text", ["3x4-2", "1x256-256"])
def test_a_cell_has_one_process_in_a_pass(text):
    """However many visits it gets, and however large its arrays are."""
    bench = Bench()
    for last in (False, False, False, True):
        bench.visit(cell(text), last=last)
    assert [contender.ended for contender in bench.started] == [True]


def test_every_process_is_ended():
    """After the last visit, after an error, and when the judge closes."""
    bench = Bench()
    bench.visit(cell())
    bench.visit(cell("3x3-2"))
    assert [contender.ended for contender in bench.started] == [False, False]
    bench.visit(cell(), last=True)
    bench.judge.close()
    assert [contender.ended for contender in bench.started] == [True, True]


def test_the_last_result_is_compared_everywhere():
    """One wrong row of a thousand is found, though only eight are compared exactly."""

    def wrong_in_one_row(x, layers):
        out = right(x, layers)
        out[613] = out[612]
        return out

    assert Bench().visit(cell("1000x3-2"), last=True).accuracy.share < 1
    with pytest.raises(WrongResultError, match=r"worst at \[613, "):
        Bench(wrong_in_one_row).visit(cell("1000x3-2"), last=True)


@pytest.mark.parametrize("example", ["coffee", "pair", "lesson"])
def test_every_number_of_a_small_result_is_compared(example):
    """Each output of the worked examples, not the last one only."""
    (case,) = (case for case in get("forward").sweep("course").cases if case.example == example)
    units = case.widths[-1]
    for unit in range(units):

        def wrong(x, layers, unit=unit):
            out = np.array(x @ layers[0].weights + layers[0].bias)
            out = 0.5 * np.tanh(0.5 * out) + 0.5 if layers[0].activation == "sigmoid" else out
            out[:, unit] += 0.001
            return out

        with pytest.raises(WrongResultError, match="worst at"):
            Bench(wrong).visit(replace(cell(), case=case), last=True)


def test_waiting_for_a_cpu_is_no_changed_clock():
    """Where others have the CPU most of the time, little of what goes by outside is filled."""
    bench = Bench(call_seconds=2e-3)
    real = bench.start

    def start_waiting(cell):
        contender = real(cell)
        run = contender.run

        def wait_and_run(*arguments, **options):
            bench.now += 0.02
            try:
                return run(*arguments, **options)
            finally:
                bench.now += 0.02

        vars(contender).update(run=wait_and_run)
        return contender

    bench.judge = Judge(start_waiting, lambda: bench.now, seed=7)
    assert bench.visit(cell(), 2e-3, last=True).accuracy


def spread_over_two_calls(x, layers, kept={}):  # noqa: B006 (it remembers between calls)
    """The first call with new numbers is wrong, and the next one puts that right."""
    known = kept.get("x") == x.tobytes()
    if not known:
        kept.update(x=x.tobytes(), out=np.zeros((len(x), layers[-1].weights.shape[1])))
    else:
        kept["out"][...] = right(x, layers)
    return kept["out"]


def reused_output(x, layers, kept={}):  # noqa: B006 (it remembers between calls)
    """Each call writes into the result of the one before."""
    out = kept.setdefault(x.shape, np.zeros((len(x), layers[-1].weights.shape[1])))
    out[...] = right(x, layers)
    return out


@pytest.mark.parametrize("forward", [spread_over_two_calls, reused_output])
def test_single_calls_show_what_the_last_of_many_does_not(forward):
    """The first result with new numbers, and an earlier one after the next call."""
    with pytest.raises(WrongResultError, match="worst at"):
        Bench(forward).visit(cell("5x3-2"), last=True)


def test_a_changed_clock_is_found():
    """A process whose clock runs at half speed leaves half of the time outside unfilled."""
    bench = Bench(call_seconds=2e-3)
    real = bench.start

    def start_slow(cell):
        contender = real(cell)
        slow = in_this_process(bench.implementation, lambda: bench.now / 2)
        vars(slow).update(cpu_seconds=contender.cpu_seconds)
        return slow

    bench.judge = Judge(start_slow, lambda: bench.now, seed=7)
    with pytest.raises(WrongResultError, match="who changed the timer"):
        bench.visit(cell(), 2e-3, last=True)


def test_remembered_answers_are_found():
    """New numbers take longer than the same again, in each round."""
    bench = Bench()
    known = set()

    def remember(x, layers):
        if x.tobytes() not in known:
            known.add(x.tobytes())
            bench.now += 5 * CALL
        return right(x, layers)

    bench.forward = remember
    with pytest.raises(WrongResultError, match="it remembers its answers: 600 us .*, 100 us"):
        bench.visit(cell(), last=True)


def test_a_cpu_that_gets_faster_in_the_middle_of_a_round_is_no_memory():
    """One quick round among slow ones, whose first call was slow as well, proves nothing."""
    bench = Bench()

    def faster_once(x, layers):
        quick = 60 < len(bench.inputs) <= 67
        bench.now -= CALL / 2 * quick
        bench.cpu -= CALL / 2 * quick
        return right(x, layers)

    bench.forward = faster_once
    assert bench.visit(cell(), last=True).accuracy


def test_work_on_other_cpus_is_found():
    """CPU time beyond that of its own CPUs is somebody else's."""
    bench = Bench(call_seconds=0.01)
    bench.share = 1.9
    for _ in range(4):
        bench.visit(cell(), 0.01)
    with pytest.raises(WrongResultError, match="kept 1.9 CPUs busy and was given 1"):
        bench.visit(cell(), 0.01, last=True)
    bench.judge.visit(cell(threads=2), 0.01, last=True)


def test_an_input_that_is_computed_while_it_is_prepared_is_found():
    """Preparing an input must not take longer once the layers are known."""
    bench = Bench()

    class Answered:
        """Holds the answer."""

        def __init__(self, x):
            self.x = x

    def prepare(x):
        bench.now += 50 * CALL if knows else 1e-6
        return Answered(x.copy())

    knows = []
    bench = Bench(lambda prepared, layers: right(prepared.x, layers), prepare_input=prepare)

    def prepare_layers(layers):
        knows.append(1)
        return layers

    bench.implementation = replace(bench.implementation, prepare_layers=prepare_layers)
    with pytest.raises(WrongResultError, match="prepare_input computes: it took 1 us .* 5e"):
        bench.visit(cell(), last=True)


def test_unfinished_work_is_found():
    """A result that does not hold its numbers yet is none."""

    class Later:
        """Computes when it is read."""

        dtype = np.dtype("float64")

        def __init__(self, x, layers):
            self.x, self.layers = x.copy(), layers

        def __array__(self, dtype=None, copy=None):
            return right(self.x, self.layers)

    with pytest.raises(WrongResultError, match="returned unfinished work"):
        Bench(Later).visit(cell(), last=True)


def disturbed_bench(disturbed):
    """A bench whose calls lose half of their time, as long as some of those are left."""
    bench = Bench(call_seconds=2e-3)

    def forward(x, layers):
        if disturbed.left:
            disturbed.left -= 1
            bench.now += 2e-3
        return right(x, layers)

    bench.forward = forward
    return bench


def test_a_last_visit_is_repeated_if_no_round_was_calm():
    """A visit that lost its CPU is made again, twice at most, as long as time is left for that."""
    disturbed = SimpleNamespace(left=0)
    bench = disturbed_bench(disturbed)
    disturbed.left = 4  # three calls before the visit, which choose one round, and that one
    visit = bench.visit(cell(), 2e-3, last=True)
    assert visit.count == 2
    assert visit.seconds == pytest.approx([2e-3])
    disturbed.left = 100
    assert bench.visit(cell("3x3-2"), 2e-3, last=True).count == 1 + 2
    bench.judge.calm.spare_seconds = 0.0
    visit = bench.visit(cell("3x3-3"), 2e-3, last=True)
    assert visit.count == 1
    assert visit.seconds == pytest.approx([4e-3])


def test_a_disturbed_visit_is_not_repeated_beside_a_calm_one():
    """Its rounds will not count anyway; and a visit that is not the last has others after it."""
    disturbed = SimpleNamespace(left=0)
    bench = disturbed_bench(disturbed)
    disturbed.left = 4
    assert bench.visit(cell(), 2e-3).count == 1
    assert disturbed.left == 0
    assert bench.visit(cell(), 2e-3).count == 1
    disturbed.left = 100
    assert bench.visit(cell(), 2e-3, last=True).count == 1


@pytest.mark.parametrize("seconds", [0.0, -1e-3, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_wrong(seconds):
    """A contender that tampers with its clock costs its own cell."""
    bench = Bench(call_seconds=seconds)
    with pytest.raises(WrongResultError, match="impossible|no time|changed the timer"):
        bench.visit(cell(), 0.06, last=True)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_last_round_of_a_case_is_the_same_for_all(count):
    """However many rounds a cell has, so that one correct result serves all of them."""
    case = parse_case("5x4-3")
    changes = draw_changes(case, count, "seed")
    assert len(changes) == count
    assert changes[-1] == draw_changes(case, 9, "seed")[-1]


@pytest.mark.parametrize(("seconds", "visits"), [(1e-7, 2), (0.04, 2), (0.041, 1), (10.0, 1)])
def test_slow_calls_get_fewer_visits(seconds, visits):
    """As many as fit into 80 ms, two at most and one at least, or as many as are asked for."""
    assert timing.visits_of(seconds) == visits
    assert timing.visits_of(seconds, 1) == 1
    assert timing.visits_of(seconds, 3) == (3 if seconds < 0.026 else visits)


@pytest.fixture
def gauged(monkeypatch):
    """The CPU's speed as the test says: seconds of the gauge, in turn, and then the last again."""
    shown = SimpleNamespace(seconds=[1e-4])

    def gauge(timer):
        return shown.seconds.pop(0) if len(shown.seconds) > 1 else shown.seconds[0]

    for module in (rounds, contender_process):
        monkeypatch.setattr(module, "gauge", gauge)
    return shown


def test_a_last_visit_on_a_slow_cpu_is_repeated(gauged):
    """Whatever its times are; what is usual is known from the visits before."""
    bench = Bench(call_seconds=2e-3)
    for number in range(8):
        bench.visit(cell(f"{number + 2}x2-2"), 2e-3)
    # Before and after the first rounds, and before and after the second.
    gauged.seconds = [1e-4, 1.4e-4, 1e-4, 1e-4]
    assert bench.visit(cell(), 2e-3, last=True).count == 2


def test_nobody_repeats_for_ever_on_a_slow_cpu(gauged):
    """Where no time is left for it, or the usual speed is not known, slow rounds count."""
    bench = Bench(call_seconds=2e-3)
    gauged.seconds = [2e-4]
    for number in range(8):
        bench.visit(cell(f"{number + 2}x2-2"), 2e-3)
    assert bench.judge.calm.gauges == [2e-4] * 8
    bench.judge.calm.spare_seconds = 0.0
    gauged.seconds = [3e-4]
    assert bench.visit(cell(), 2e-3, last=True).count == 1


def test_the_next_process_is_started_before_a_result_is_judged():
    """It gets ready meanwhile, is not started twice, and ends with the judge."""
    bench = Bench()
    bench.judge.visit(cell(), CALL, last=True, following=cell("3x3-2"))
    assert [contender.ended for contender in bench.started] == [True, False]
    bench.judge.visit(cell("3x3-2"), CALL, last=True, following=cell("3x3-3"))
    assert [contender.ended for contender in bench.started] == [True, True, False]
    bench.judge.close()
    assert [contender.ended for contender in bench.started] == [True] * 3


def test_a_process_that_cannot_be_started_costs_its_own_cell():
    """The cell before it has its time; its own visit says what is wrong."""
    bench = Bench()
    real = bench.start

    def start(wanted):
        if str(wanted.case) == "3x3-2":
            raise ContenderFailedError("raised MemoryError")
        return real(wanted)

    bench.judge = Judge(start, lambda: bench.now, seed=7)
    assert bench.judge.visit(cell(), CALL, last=True, following=cell("3x3-2")).accuracy
    with pytest.raises(ContenderFailedError, match="MemoryError"):
        bench.judge.visit(cell("3x3-2"), CALL, last=True)
