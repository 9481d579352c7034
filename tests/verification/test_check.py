"""One result compared with what is right."""

import math

import numpy as np
import pytest

from forwardbench.cases import parse_case
from forwardbench.verification.check import WrongResultError, check_result
from forwardbench.workloads import Answer
from forwardbench.workloads.forward import answers, make_inputs, reference


def check(array, case):
    """Compare an array with the case's own reference."""
    return check_result([array], case, answers(*make_inputs(case)))


def test_a_right_result_comes_back_with_its_error():
    """The largest absolute error is returned, to be kept beside the time."""
    case = parse_case("4x3-2", "linear")
    x, layers = make_inputs(case)
    expected, bound = reference(x, layers)
    nudged = expected.copy()
    nudged[1, 1] += bound[1, 1] / 2
    error, share, _ = check_result([nudged], case, answers(x, layers))
    assert error == np.abs(nudged - expected).max() > 0
    assert 0.3 < share < 0.7


def test_just_outside_the_bound_is_wrong():
    """Twice the bound is rejected, and the message says where and how far."""
    case = parse_case("4x3-2", "linear")
    expected, bound = reference(*make_inputs(case))
    wrong = expected.copy()
    wrong[3, 1] += 2 * bound[3, 1]
    with pytest.raises(WrongResultError, match=r"worst at \[3, 1\]: .* 2e\+00 times the bound"):
        check(wrong, case)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_passes(bad):
    """A comparison with NaN is false, so it is looked for by itself."""
    case = parse_case("2x3-2")
    array = reference(*make_inputs(case))[0]
    array[1, 0] = bad
    with pytest.raises(WrongResultError, match=r"at \[1, 0\]"):
        check(array, case)


def test_shape_and_dtype_must_match():
    """The right numbers in another shape or dtype are rejected."""
    case = parse_case("2x3-2")
    array = reference(*make_inputs(case))[0]
    with pytest.raises(WrongResultError, match=r"shape \(4,\) instead of \(2, 2\)"):
        check(array.ravel(), case)
    with pytest.raises(WrongResultError, match="dtype float32 instead of float64"):
        check(array.astype("float32"), case)


def test_a_bound_of_zero_asks_for_the_very_number():
    """Exact integers leave no room for rounding; and a bound that is none lets nothing through."""
    case = parse_case("1x1-2")
    exact = Answer((2,), ([0, 1],), np.array([3.0, 4.0]), np.zeros(2))
    assert check_result([np.array([3.0, 4.0])], case, [exact]) == (0, 0, 0)
    with pytest.raises(WrongResultError, match=r"worst at \[1\]: 4\.5 instead of 4, inf times"):
        check_result([np.array([3.0, 4.5])], case, [exact])
    with pytest.raises(WrongResultError, match="nan times the bound"):
        check_result([exact.expected], case, [exact._replace(bound=np.full(2, np.nan))])


def test_every_array_of_a_result_is_compared_and_named():
    """A result may be several arrays of any shape; the message says which is wrong, and where."""
    case = parse_case("2x3-2")
    known = [
        Answer((2, 3, 2), ([1], [0, 2], [1]), np.ones((1, 2, 1)), np.full((1, 2, 1), 0.5), "cube"),
        Answer((4,), ([0, 3],), np.zeros(2), np.full(2, 0.25), "line"),
    ]
    cube, line = np.ones((2, 3, 2)), np.zeros(4)
    cube[1, 2, 1], line[0] = 1.25, 0.0625
    assert check_result([cube, line], case, known) == (0.25, 0.5, math.sqrt(0.125))
    with pytest.raises(WrongResultError, match="1 arrays instead of 2"):
        check_result([cube], case, known)
    with pytest.raises(WrongResultError, match=r"shape \(3,\) of line instead of \(4,\)"):
        check_result([cube, line[:3]], case, known)
    line[3] = 1
    with pytest.raises(WrongResultError, match=r"worst at \[3\] of line: 1 instead of 0"):
        check_result([cube, line], case, known)
    cube[0, 1, 0] = np.nan
    with pytest.raises(WrongResultError, match=r"nan at \[0, 1, 0\] of cube"):
        check_result([cube, line], case, known)
