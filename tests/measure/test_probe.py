"""Predictions before measuring: what is too slow is never called."""

import pytest

from forwardbench.cases import parse_case
from forwardbench.implementations import Implementation
from forwardbench.measure.plan import cells_of
from forwardbench.measure.probe import Prediction, predict, predict_cells
from forwardbench.statistics.fit import Fit
from forwardbench.verification.verify import Nurseries
from forwardbench.workloads import get
from forwardbench.workloads.forward import SWEEPS, count_multiply_adds


class Clocked:
    """An implementation that takes 1 us a call and 30 ns a multiply-add, by its own clock."""

    def __init__(self):
        self.now = 0.0
        self.called = []
        self.implementation = Implementation("clocked", get("forward"), self.forward)

    def forward(self, x, layers):
        """Let the time pass that the work would take."""
        work = len(x) * sum(layer.weights.size for layer in layers)
        self.called.append(work)
        self.now += 1e-6 + 3e-8 * work

    def timer(self):
        """Read the clock."""
        return self.now


def seconds_of(case):
    """Seconds that the clocked implementation takes."""
    return 1e-6 + 3e-8 * count_multiply_adds(case)


@pytest.mark.parametrize("name", ["square", "sample", "batch", "mlp"])
@pytest.mark.parametrize("limit", [0.01, 1.0])
def test_no_call_beyond_the_limit_is_made(name, limit):
    """Every case is predicted right, and those above the limit without being called."""
    clocked = Clocked()
    cases = SWEEPS[name].cases
    predictions = predict(clocked.implementation, cases, limit, clocked.timer)
    assert list(predictions) == list(cases)
    for case, estimate in predictions.items():
        assert estimate.seconds == pytest.approx(seconds_of(case), rel=0.01)
        assert estimate.called == (count_multiply_adds(case) in clocked.called)
        assert estimate.called == (seconds_of(case) <= limit)


def test_a_single_huge_case_is_predicted_from_smaller_ones():
    """A case alone has no sweep to learn from: its own halves serve."""
    clocked = Clocked()
    case = parse_case("512x3000-2000")
    predictions = predict(clocked.implementation, [case], 0.5, clocked.timer)
    assert predictions[case].seconds == pytest.approx(seconds_of(case), rel=0.01)
    assert max(clocked.called) * 3e-8 < 0.5


def test_a_slow_first_call_is_not_taken_for_the_rest():
    """A compiler's first call is made again before it is believed."""
    clocked = Clocked()
    plain = clocked.forward
    first = iter([2.0])

    def forward(x, layers):
        clocked.now += next(first, 0.0)
        plain(x, layers)

    implementation = Implementation("jit", get("forward"), forward)
    predictions = predict(implementation, SWEEPS["square"].cases[:5], 1.0, clocked.timer)
    assert predictions[SWEEPS["square"].cases[0]].seconds == pytest.approx(1.03e-6)


def test_a_child_process_predicts_real_rungs():
    """Sweeps and worked examples come back by cell, with seconds and interval."""
    cells = list(cells_of({"matmul": "matmul"}, [SWEEPS["course"]], ["float64"], [1]))
    with Nurseries("forward") as nurseries, nurseries.contender("matmul") as contender:
        predictions = predict_cells(contender, cells, 1.0)
    assert contender.loading_seconds > 0
    assert list(predictions) == cells
    for prediction in predictions.values():
        assert 0 < prediction.seconds < 1
        assert prediction.called
        assert prediction.fit is None
        assert prediction.calling_seconds >= prediction.seconds  # what all calls took


@pytest.mark.parametrize(
    ("prediction", "worth"),
    [
        (Prediction(1.0, True, None), True),
        (Prediction(2.0, True, None), True),
        (Prediction(2.1, True, None), False),
        (Prediction(1.1, False, Fit((1.1, 0, 0), 3, 0.1, 8)), False),
    ],
)
def test_the_limit_is_on_predictions(prediction, worth):
    """A call that was made may exceed it up to twice; one that was not, not at all."""
    assert prediction.worth_measuring(1.0) == worth
