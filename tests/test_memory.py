"""Arrays that begin at a cache line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.cases import parse_case
from forwardbench.memory import LINE_BYTES, at_line, copy_at_line, empty_at_line
from forwardbench.workloads import get


@given(
    shape=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    dtype=st.sampled_from(["float64", "float32", "float16", "int8", "bool"]),
)
def test_an_array_of_any_shape_begins_at_a_line(shape, dtype):
    """It has its shape and dtype, is contiguous, and can be written."""
    array = empty_at_line(shape, dtype)
    assert array.ctypes.data % LINE_BYTES == 0 or not array.size
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
    assert array.flags.c_contiguous
    assert array.flags.writeable
    array[...] = 1


@given(offset=st.integers(0, 15))
def test_a_copy_begins_at_a_line_wherever_the_array_did(offset):
    """Its numbers are the array's, and it is an array of its own."""
    array = np.arange(40.0)[offset:]
    copy = copy_at_line(array)
    assert copy.ctypes.data % LINE_BYTES == 0
    np.testing.assert_array_equal(copy, array)
    assert not np.shares_memory(copy, array)
    assert np.shares_memory(at_line(copy), copy)
    assert at_line(array).ctypes.data % LINE_BYTES == 0


@pytest.mark.parametrize("shape", ["1x2-3", "7x33-9-5", "64x64-64"])
def test_inputs_begin_at_lines(shape):
    """Data, weights and biases, so that no cell is timed with others than the next."""
    data, layers = get("forward").inputs(parse_case(shape))
    parts = [*data, *(part for layer in layers for part in (layer.weights, layer.bias))]
    assert [part.ctypes.data % LINE_BYTES for part in parts] == [0] * len(parts)
