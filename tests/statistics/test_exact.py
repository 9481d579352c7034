"""Exact sums of products."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.statistics import exact as module
from forwardbench.statistics.exact import exact_products, gamma

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-100)


@given(rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), bias=numbers)
def test_inner_products_are_rounded_once(rows, bias):
    """The sum of products equals rational arithmetic, rounded to the nearest double."""
    x, w = np.array(rows).T
    exact = sum((Fraction(a) * Fraction(b) for a, b in rows), Fraction(bias))
    assert exact_products(x[None], w[:, None], np.array([bias]))[0, 0] == float(exact)


def test_inner_products_survive_cancellation():
    """Terms of 1e16 that cancel leave what was added beside them."""
    a, b = np.array([[1.0, 0.5, 1.0]]), np.array([[1e16], [1.0], [-1e16]])
    assert exact_products(a, b, np.array([0.25]))[0, 0] == 0.75


def test_gamma_is_highams():
    """gamma_n = n u / (1 - n u)."""
    assert gamma(np.array([3.0]), 0.1)[0] == pytest.approx(0.3 / 0.7)


def test_long_rows_are_summed_in_blocks(monkeypatch):
    """The blocks that bound memory change no digit."""
    generator = np.random.default_rng(1)
    a, b, added = (generator.normal(size=shape) for shape in ((2, 7), (7, 11), 11))
    at_once = exact_products(a, b, added)
    monkeypatch.setattr(module, "_TERMS_AT_ONCE", 20)
    np.testing.assert_array_equal(exact_products(a, b, added), at_once)
