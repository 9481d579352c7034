"""The reference and its bound."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.cases import Case, Layer, make_inputs, parse_case
from forwardbench.verification import reference as module
from forwardbench.verification.reference import (
    WrongResultError,
    activate,
    check_result,
    exact_products,
    gamma,
    reference,
    sample,
    whole,
)

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-100)


@given(rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), bias=numbers)
def test_inner_products_are_rounded_once(rows, bias):
    """The sum of products equals rational arithmetic, rounded to the nearest double."""
    x, w = np.array(rows).T
    layer = Layer(w[:, None], np.array([bias]), "linear")
    exact = sum((Fraction(a) * Fraction(b) for a, b in rows), Fraction(bias))
    assert exact_products(x[None], layer)[0, 0] == float(exact)


def test_inner_products_survive_cancellation():
    """Terms of 1e16 that cancel leave what was added beside them."""
    layer = Layer(np.array([[1e16], [1.0], [-1e16]]), np.array([0.25]), "linear")
    assert exact_products(np.array([[1.0, 0.5, 1.0]]), layer)[0, 0] == 0.75


@pytest.mark.parametrize(
    ("z", "expected"),
    [(0.0, 0.5), (165.0, 1.0), (-531.0, 2.4526e-231), (2.9, 0.947846436922), (-1000.0, 0.0)],
)
def test_the_sigmoid_keeps_the_digits_that_the_notes_print(z, expected):
    """The reference's sigmoid is accurate where the result is tiny, too."""
    assert activate(np.array([z]), "sigmoid")[0] == pytest.approx(expected, rel=1e-4, abs=0)


def test_gamma_is_highams():
    """gamma_n = n u / (1 - n u)."""
    assert gamma(np.array([3.0]), 0.1)[0] == pytest.approx(0.3 / 0.7)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh", "linear"])
@given(data=st.data())
def test_any_order_of_summation_stays_within_the_bound(dtype, activation, data):
    """A plain computation with its inputs permuted is never farther off than the bound."""
    batch = data.draw(st.integers(1, 5))
    widths = data.draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    case = Case(batch, tuple(widths), activation, dtype)
    x, layers = make_inputs(case)
    expected, bound = reference(x, layers)
    a = x
    for layer in layers:
        order = np.array(data.draw(st.permutations(range(len(layer.weights)))))
        z = a[:, order] @ layer.weights[order] + layer.bias
        a = activate(z.astype(np.float64), activation).astype(dtype)
    assert (np.abs(a - expected) <= bound).all()


@pytest.mark.parametrize("shape", ["1x2-2", "17x65-9"])
def test_the_bound_is_a_few_roundoffs_wide(shape):
    """Widths: at most gamma of the inner product and a dozen roundoffs, for values near 1."""
    case = parse_case(shape)
    _, bound = reference(*make_inputs(case))
    terms = case.widths[0] + 1
    assert bound.max() < 2.0**-53 * (terms * (terms + 2) / 4 + 12)


def test_zero_inputs_do_not_widen_the_bound():
    """Exact zeros add no rounding, so a sparse product keeps the bound of its few terms."""
    weights, bias = np.ones((1000, 1)), np.zeros(1)
    sparse = np.zeros((1, 1000))
    sparse[0, :2] = 1
    layers = [Layer(weights, bias, "linear")]
    _, bound_sparse = reference(sparse, layers)
    _, bound_short = reference(sparse[:, :2], [Layer(weights[:2], bias, "linear")])
    assert bound_sparse == bound_short


def check(array, case):
    """Compare an array with the case's own reference."""
    return check_result(array, case, whole(*make_inputs(case)))


def test_a_right_result_comes_back_with_its_error():
    """The largest absolute error is returned, to be kept beside the time."""
    case = parse_case("4x3-2", "linear")
    x, layers = make_inputs(case)
    expected, bound = reference(x, layers)
    nudged = expected.copy()
    nudged[1, 1] += bound[1, 1] / 2
    error, share = check_result(nudged, case, whole(x, layers))
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


def test_a_sample_is_the_reference_in_some_places():
    """For chosen rows and units it holds what the whole holds there, and names the right place."""
    case = parse_case("9x3-4-5")
    x, layers = make_inputs(case)
    array, bound = reference(x, layers)
    some = sample(x, layers, [2, 8], [0, 3, 4])
    np.testing.assert_array_equal(some.expected, array[[2, 8]][:, [0, 3, 4]])
    np.testing.assert_array_equal(some.bound, bound[[2, 8]][:, [0, 3, 4]])
    assert check_result(array, case, some) == (0, 0)
    array[8, 3] += 1
    with pytest.raises(WrongResultError, match=r"worst at \[8, 3\]"):
        check_result(array, case, some)


def test_long_rows_are_summed_in_blocks(monkeypatch):
    """The blocks that bound memory change no digit."""
    case = parse_case("2x7-11")
    x, (layer,) = make_inputs(case)
    at_once = exact_products(x.astype(np.float64), layer)
    monkeypatch.setattr(module, "_TERMS_AT_ONCE", 20)
    np.testing.assert_array_equal(exact_products(x.astype(np.float64), layer), at_once)
