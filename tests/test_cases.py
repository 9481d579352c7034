"""Cases and how they are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.cases import Case, CaseError, Sweep, parse_case

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


def test_a_case_shrinks_to_ones_by_halves():
    """The smaller cases halve every dimension until all of them are 1."""
    assert [str(case) for case in parse_case("5x8-2").smaller()] == ["2x4-1", "1x2-1", "1x1-1"]
    assert list(parse_case("1x1-1").smaller()) == []


def test_every_second_size_is_without_the_smallest():
    """Where a batch or a layer grows; single cases are all kept."""
    sizes = tuple(parse_case(f"{2**k}x2-2") for k in range(4))
    assert Sweep("s", "", "batch", sizes).every_second().cases == (sizes[1], sizes[3])
    assert Sweep("s", "", "batch", sizes[:3]).every_second().cases == (sizes[1],)
    assert Sweep("s", "", "batch", sizes[:1]).every_second().cases == sizes[:1]
    assert Sweep("s", "", "", sizes).every_second().cases == sizes
