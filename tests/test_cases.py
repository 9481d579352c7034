"""Cases, sweeps and their inputs."""

import hashlib
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench import cases
from forwardbench.cases import Case, CaseError, make_inputs, make_layers, make_rows, parse_case

widths = st.lists(st.integers(1, 999_999_999), min_size=2, max_size=6).map(tuple)


@given(batch=st.integers(1, 999_999_999), widths=widths)
def test_notation_is_read_back_as_it_was_written(batch, widths):
    """Whatever case is printed, parsing the text gives the same case."""
    case = Case(batch, widths)
    assert parse_case(str(case)) == case


@given(text=st.text(max_size=30))
def test_every_other_text_is_refused_in_one_line(text):
    """A text either is a case or is refused with one line that shows the notation."""
    if re.fullmatch("[1-9][0-9]{0,8}x[1-9][0-9]{0,8}(-[1-9][0-9]{0,8})+", text):
        assert str(parse_case(text)) == text
    else:
        with pytest.raises(CaseError, match=r"^[^\n]*is not a case[^\n]*$"):
            parse_case(text)


@pytest.mark.parametrize(
    "text",
    ["", "64", "x3-1", "64x784", "64x784x10", "64x-1-2", "0x3-1",
     "3x0-1", "064x1-1", "64x784-", " 1x2-3",
     "1X2-3", "1x2-3\n", "1e3x2-3", "१x2-3", "9999999999x1-1", "1.5x2-3"],
)  # fmt: skip
def test_bad_notation_is_refused(text):
    """Half-right notation is refused too: no guessing at what was meant."""
    with pytest.raises(CaseError):
        parse_case(text)


def test_work_and_bytes_of_a_case_are_exact():
    """Multiply-adds, activations and bytes are counted by hand for one two-layer case."""
    case = parse_case("64x784-128-10")
    assert case.layer_shapes == [(784, 128), (128, 10)]
    assert case.multiply_adds == 64 * (784 * 128 + 128 * 10) == 6_504_448
    assert case.outputs == 64 * (128 + 10)
    assert case.bytes == 8 * (784 * 128 + 128 + 128 * 10 + 10 + 64 * (784 + 128 + 10))
    assert parse_case("64x784-128-10", dtype="float32").bytes == case.bytes // 2


def test_a_case_shrinks_to_ones_by_halves():
    """The smaller cases halve every dimension until all of them are 1."""
    assert [str(case) for case in parse_case("5x8-2").smaller()] == ["2x4-1", "1x2-1", "1x1-1"]
    assert list(parse_case("1x1-1").smaller()) == []


def test_sweeps_are_those_of_the_design():
    """The five sweeps have their names, axes and ends."""
    ends = {
        name: (str(sweep.cases[0]), str(sweep.cases[-1]), sweep.axis)
        for name, sweep in cases.SWEEPS.items()
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
        cases.sweep("round")


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
    (case,) = [case for case in cases.sweep("course").cases if case.example == name]
    x, (layer,) = make_inputs(case)
    assert x.shape == (case.batch, case.widths[0])
    np.testing.assert_allclose(x @ layer.weights + layer.bias, z, rtol=1e-14)


def test_ten_thousand_is_uniform_with_the_bias_of_the_note():
    """10,000 examples of 3 features in [0, 1), one output, bias 0.5."""
    case = cases.sweep("course").cases[-1]
    x, (layer,) = make_inputs(case)
    assert x.shape == (10_000, 3)
    assert 0 <= x.min() < 0.001 < 0.999 < x.max() < 1
    assert layer.bias.tolist() == [0.5]


def test_inputs_are_the_same_bits_on_every_machine():
    """A digest of seeded inputs, computed once, holds: change it only with WORKLOAD_VERSION."""
    x, layers = make_inputs(parse_case("5x7-3-2", "tanh"))
    digest = hashlib.sha256(x.tobytes())
    for layer in layers:
        digest.update(layer.weights.tobytes() + layer.bias.tobytes())
    assert cases.WORKLOAD_VERSION == 1
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
        st.sampled_from(cases.sweep("course").cases),
    ),
    dtype=st.sampled_from(cases.DTYPES),
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
