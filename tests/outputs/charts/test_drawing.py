"""Room, ticks and labels, of which every chart is made."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardbench.outputs.charts.drawing import scale, style, text


@given(
    heights=st.lists(st.floats(0, 100), min_size=1, max_size=10).map(sorted),
    gap=st.floats(1, 10),
)
def test_spreading_keeps_order_distance_and_frame(heights, gap):
    """Labels end up in order, at least the gap apart, and inside where there is room."""
    placed = style.spread(heights, gap, 0, 100)
    assert len(placed) == len(heights)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(placed))
    assert placed[0] >= -1e-9
    assert placed[-1] <= 100 + 1e-9


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([10, 50, 90], [10, 50, 90]),
        ([50, 50], [44, 56]),
        ([50, 50, 50, 90], [38, 50, 62, 90]),
        ([0, 0], [0, 12]),
        ([100, 100], [88, 100]),
    ],
)
def test_spreading_moves_as_little_as_it_must(wanted, placed):
    """What is apart stays; what is too near is moved to both sides, inside the frame."""
    assert style.spread(wanted, 12, 0, 100) == placed


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=60)


@given(text_=LETTERS, size=st.sampled_from([7.0, 9.0, 13.0]))
def test_cutting_keeps_to_the_room(text_, size):
    """Text that fits stays; other text keeps both ends."""
    cut = text.cut(text_, 1.7, size)
    assert text.width(cut, size) <= 1.7 + 1e-9
    if text.width(text_, size) <= 1.7:
        assert cut == text_
    else:
        head, _, tail = cut.partition("...")
        assert text_.startswith(head)
        assert text_.endswith(tail)


@given(st.lists(LETTERS.filter(bool), max_size=8).map(" ".join))
def test_folding_keeps_to_the_room_and_to_the_text(sentence):
    """No line is too wide, and all letters are there where the lines are not limited."""
    lines = text.fold(sentence, 2.0, 10, most=1000)
    assert all(text.width(line, 10) <= 2.0 + 1e-9 for line in lines)
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")


def test_folding_has_an_end_and_keeps_a_number_with_its_sign():
    """Past the last line there are dots; 95 % is not broken."""
    lines = text.fold("word " * 200, 2.0, 10, most=3)
    assert len(lines) == 3
    assert lines[-1].endswith("...")
    room = text.width("interval 95", 10) + 0.01
    assert text.fold("interval 95 % wide", room, 10) == ["interval", "95 % wide"]


def test_wide_letters_take_their_room():
    """Ideographs are as wide as high; W is wider than i."""
    assert text.width("名前", 72) >= 2
    assert text.width("W", 72) > 2 * text.width("i", 72)
    assert text.width("bold", 72, bold=True) > text.width("bold", 72)


@pytest.mark.parametrize(
    ("labels", "pitch", "room", "degrees"),
    [
        (["1x1-1"] * 3, 1.0, 1.0, 0),
        (["64x784-128-64-10"] * 3, 0.5, 1.0, 30),
        (["64x784-128-64-10"] * 3, 0.5, 0.1, 90),
        (["64x784-128-64-10"] * 20, 0.15, 1.0, 90),
    ],
)
def test_labels_turn_as_far_as_they_must(labels, pitch, room, degrees):
    """Level, slanted or upright, by what fits between two and at the left."""
    turned, height = text.tilt(labels, 8, pitch, room)
    assert turned == degrees
    assert height >= 8 / 72
    if degrees == 30:  # lines of slanted type stand pitch * sin 30 apart
        assert pitch * math.sin(math.radians(30)) >= 8 * text.LINE / 72


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((0.5, 2000), [1, 10, 100, 1000]),
        ((0.8, 12), [1, 2, 5, 10]),
        ((0.95, 1.05), [0.95, 0.975, 1, 1.025, 1.05]),
        ((1e-9, 1e3), [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2]),
    ],
)
def test_ticks_are_round_and_few(ends, ticks):
    """Powers of ten; finer on a short axis, fewer on a long one, and 1 is among them."""
    assert scale.logarithmic_ticks(*ends) == pytest.approx(ticks)


@given(low=st.floats(-12, 9), reach=st.floats(0.02, 20))
def test_every_axis_has_ticks(low, reach):
    """Two at least, eight at most."""
    ends = 10**low, 10 ** (low + reach)
    found = [tick for tick in scale.logarithmic_ticks(*ends) if ends[0] <= tick <= ends[1]]
    assert 2 <= len(found) <= 10


@pytest.mark.parametrize(
    ("value", "said"), [(1.0, "1x"), (0.05, "0.05x"), (1e4, "10,000x"), (1e8, "1e8x"), (0, "0")]
)
def test_a_tick_fits_into_the_margin(value, said):
    """Long numbers have an exponent."""
    from forwardbench.units import format_ratio

    assert scale.write_tick(value, format_ratio) == said
