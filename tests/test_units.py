"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.units import format_interval, format_ratio, format_seconds, format_tick


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.71e-7, "471 ns"), (1.2e-6, "1.20 us"), (0.0124, "12.4 ms"), (9.996e-4, "1.00 ms"),
     (9.994e-4, "999 us"), (31.6, "31.6 s"), (4210.0, "4,210 s"), (2e-10, "0.200 ns"),
     (math.nan, ""), (math.inf, "")],
)  # fmt: skip
def test_times_have_three_digits_and_a_unit(seconds, text):
    """The unit changes where three digits would become four."""
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(580.6, "581x"), (0.2454, "0.245x"), (1.0, "1.00x"), (12345.0, "12,300x"), (math.nan, "")],
)
def test_ratios_have_three_digits_and_an_x(ratio, text):
    """Thousands have commas; nothing has an exponent."""
    assert format_ratio(ratio) == text


def test_an_interval_has_both_ends_or_is_empty():
    """Half an interval is not one."""
    assert format_interval(1.004, 22.04) == "1.00 to 22.0"
    assert format_interval(1.0, math.nan) == ""


@given(seconds=st.floats(1e-9, 1e6))
def test_a_written_time_is_within_half_a_digit(seconds):
    """Reading the text back gives the number to three digits."""
    number, unit = format_seconds(seconds).replace(",", "").split()
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    assert float(number) * scale == pytest.approx(seconds, rel=0.0051)


def test_ticks_drop_the_zeros_that_claim_precision():
    """1.00 us is 1 us on an axis, and 100x keeps its zeros."""
    assert format_tick(1e-6, format_seconds) == "1 us"
    assert format_tick(100.0, format_ratio) == "100x"
    assert format_tick(0.1, format_ratio) == "0.1x"
    assert format_tick(1000.0, format_ratio) == "1,000x"
