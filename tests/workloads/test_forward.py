"""Forward propagation: its sweeps, inputs, work, reference and bound."""

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.cases import DTYPES, Case, CaseError, Layer, parse_case
from forwardbench.verification.check import WrongResultError, check_result
from forwardbench.workloads import get
from forwardbench.workloads.forward import (
    SWEEPS,
    VERSION,
    activate,
    answers_at,
    count_bytes,
    count_multiply_adds,
    count_outputs,
    make_inputs,
    make_layers,
    make_rows,
    reference,
)


def test_work_and_bytes_of_a_case_are_exact():
    """Multiply-adds, activations and bytes are counted by hand for one two-layer case."""
    case = parse_case("64x784-128-10")
    assert case.layer_shapes == [(784, 128), (128, 10)]
    assert count_multiply_adds(case) == 64 * (784 * 128 + 128 * 10) == 6_504_448
    assert count_outputs(case) == 64 * (128 + 10)
    assert count_bytes(case) == 8 * (784 * 128 + 128 + 128 * 10 + 10 + 64 * (784 + 128 + 10))
    assert count_bytes(replace(case, dtype="float32")) == count_bytes(case) // 2


def test_sweeps_are_those_of_the_design():
    """The five sweeps have their names, axes and ends."""
    ends = {
        name: (str(sweep.cases[0]), str(sweep.cases[-1]), sweep.axis)
        for name, sweep in SWEEPS.items()
    }
    assert ends == {
        "square": ("1x1-1", "1024x1024-1024", "batch"),
        "sample": ("1x1-1", "1x4096-4096", "inputs"),
        "batch": ("1x3-1", "100000x3-1", "batch"),
        "mlp": ("1x784-128-64-10", "1024x784-128-64-10", "batch"),
        "course": ("1x2-3", "10000x3-1", ""),
    }


def test_an_unknown_sweep_is_refused_with_the_choices():
    """The message names every sweep there is."""
    with pytest.raises(CaseError, match="square, sample, batch, mlp, course"):
        get("forward").sweep("round")


@pytest.mark.parametrize(
    ("name", "z"),
    [
        ("coffee", [[165, -531, 900]]),
        ("pair", [[2.9, 2.8]]),
        ("lesson", [[5.1, 6.2], [11.5, 14.2], [17.9, 22.2]]),
    ],
)
def test_worked_examples_carry_the_numbers_of_the_notes(name, z):
    """The inputs of each example give the pre-activations that its note prints."""
    (case,) = [case for case in SWEEPS["course"].cases if case.example == name]
    x, (layer,) = make_inputs(case)
    assert x.shape == (case.batch, case.widths[0])
    np.testing.assert_allclose(x @ layer.weights + layer.bias, z, rtol=1e-14)


def test_ten_thousand_is_uniform_with_the_bias_of_the_note():
    """10,000 examples of 3 features in [0, 1), one output, bias 0.5."""
    case = SWEEPS["course"].cases[-1]
    x, (layer,) = make_inputs(case)
    assert x.shape == (10_000, 3)
    assert 0 <= x.min() < 0.001 < 0.999 < x.max() < 1
    assert layer.bias.tolist() == [0.5]


def test_inputs_are_the_same_bits_on_every_machine():
    """A digest of seeded inputs, computed once, holds: change it only with the version."""
    x, layers = make_inputs(parse_case("5x7-3-2", "tanh"))
    digest = hashlib.sha256(x.tobytes())
    for layer in layers:
        digest.update(layer.weights.tobytes() + layer.bias.tobytes())
    assert VERSION == 1
    assert digest.hexdigest() == "ffb9f5316f2311cdd9c71494a20326aff212484af3859b4f5b95ef836fd01a78"


@given(batch=st.integers(1, 20), widths=st.lists(st.integers(1, 20), min_size=2, max_size=4))
def test_inputs_have_the_shapes_and_dtypes_of_their_case(batch, widths):
    """Both dtypes hold the same numbers, one of them rounded, and weights stay in range."""
    double, single = (
        make_inputs(Case(batch, tuple(widths), dtype=dtype)) for dtype in ("float64", "float32")
    )
    assert double[0].shape == (batch, widths[0])
    np.testing.assert_array_equal(double[0].astype("float32"), single[0])
    for layer, rounded, shape in zip(double[1], single[1], itertools.pairwise(widths), strict=True):
        assert layer.weights.shape == shape
        assert layer.bias.shape == (shape[1],)
        assert rounded.weights.dtype == rounded.bias.dtype == np.float32
        assert np.abs(layer.weights).max() <= np.sqrt(6 / sum(shape))
        np.testing.assert_array_equal(layer.weights.astype("float32"), rounded.weights)


@given(
    case=st.one_of(
        st.builds(Case, st.integers(1, 40), st.sampled_from([(1, 1), (3, 2), (5, 4, 3)])),
        st.sampled_from(SWEEPS["course"].cases),
    ),
    dtype=st.sampled_from(DTYPES),
    data=st.data(),
)
def test_any_rows_of_a_batch_can_be_made_without_the_others(case, dtype, data):
    """They are the same bits as in the whole batch, and so are layers made without one."""
    case = replace(case, dtype=dtype)
    start = data.draw(st.integers(0, case.batch))
    stop = data.draw(st.integers(start, case.batch))
    x, layers = make_inputs(case)
    rows = make_rows(case, start, stop)
    assert (rows.shape, rows.dtype) == ((stop - start, case.widths[0]), dtype)
    assert rows.tobytes() == x[start:stop].tobytes()
    for alone, layer in zip(make_layers(case), layers, strict=True):
        assert alone.weights.tobytes() == layer.weights.tobytes()
        assert alone.bias.tobytes() == layer.bias.tobytes()
        assert alone.activation == layer.activation


def test_rows_far_into_a_batch_that_fits_no_memory_are_made_at_once():
    """The stream is entered in the middle, so 4 TB before a row cost nothing."""
    case = parse_case("999999999x512-4")
    last = make_rows(case, case.batch - 2, case.batch)
    assert last.shape == (2, 512)
    assert (last[1] == make_rows(case, case.batch - 1, case.batch)[0]).all()
    assert [layer.weights.shape for layer in make_layers(case)] == [(512, 4)]


@pytest.mark.parametrize(
    ("z", "expected"),
    [(0.0, 0.5), (165.0, 1.0), (-531.0, 2.4526e-231), (2.9, 0.947846436922), (-1000.0, 0.0)],
)
def test_the_sigmoid_keeps_the_digits_that_the_notes_print(z, expected):
    """The reference's sigmoid is accurate where the result is tiny, too."""
    assert activate(np.array([z]), "sigmoid")[0] == pytest.approx(expected, rel=1e-4, abs=0)


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


def test_a_sample_is_the_reference_in_some_places():
    """For chosen rows and units it holds what the whole holds there, and names the right place."""
    case = parse_case("9x3-4-5")
    x, layers = make_inputs(case)
    array, bound = reference(x, layers)
    (some,) = answers_at(x, layers, [2, 8], [0, 3, 4])
    np.testing.assert_array_equal(some.expected, array[[2, 8]][:, [0, 3, 4]])
    np.testing.assert_array_equal(some.bound, bound[[2, 8]][:, [0, 3, 4]])
    assert check_result([array], case, [some]) == (0, 0, 0)
    array[8, 3] += 1
    with pytest.raises(WrongResultError, match=r"worst at \[8, 3\]"):
        check_result([array], case, [some])
