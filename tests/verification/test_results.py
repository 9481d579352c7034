"""Whether a result holds its numbers before it is read."""

import array as arrays_of_python
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from forwardbench.verification.results import holds, is_plain, numbers_within

NUMBERS = np.array([[0.25, -1.5], [3.0, 0.0]])


class Holder:
    """Has the numbers, somewhere."""

    def __init__(self, inner):
        self.inner = inner

    def __array__(self, dtype=None, copy=None):
        return np.array(NUMBERS)


class Later(Holder):
    """Has only what the numbers are computed from."""

    def __init__(self):
        super().__init__({"z": NUMBERS * 2, "deed": lambda z: z / 2})


@dataclass(slots=True)
class Slotted:
    """Has no dictionary."""

    numbers: object


class Rows(list):
    """A list of lists with a name of its own."""


class Subclass(np.ndarray):
    """An array that shows other numbers than it holds."""

    def __array__(self, dtype=None, copy=None):
        return np.array(NUMBERS)


@pytest.mark.parametrize(
    "part",
    [
        NUMBERS,
        NUMBERS.T,
        NUMBERS.tolist(),
        tuple(map(tuple, NUMBERS.tolist())),
        NUMBERS.astype("float32"),
        Holder(NUMBERS),
        Holder({"deep": [NUMBERS.ravel()]}),
        Holder(NUMBERS.tolist()),
        Slotted(NUMBERS),
        arrays_of_python.array("d", NUMBERS.ravel()),
        NUMBERS.data,
        NUMBERS.view(np.matrix),
        Rows(NUMBERS.tolist()),
        [arrays_of_python.array("d", row) for row in NUMBERS],
        (NUMBERS.tobytes(), NUMBERS.shape),
    ],
    ids=lambda part: type(part).__name__,
)
def test_numbers_are_found_wherever_they_lie(part):
    """In any layout, and in objects of any kind."""
    assert holds(numbers_within(part), NUMBERS)


@pytest.mark.parametrize(
    "part",
    [
        Later(),
        [Later(), Later()],
        (NUMBERS * 2).view(Subclass),
        lambda: NUMBERS,
        partial(np.multiply, NUMBERS * 2, 0.5),
        NUMBERS[:1],
        np.maximum(NUMBERS, 0),
        None,
        Holder(list(map(str, NUMBERS.ravel()))),
    ],
    ids=lambda part: type(part).__name__,
)
def test_numbers_that_are_computed_when_read_are_missed(part):
    """Whatever is done to an object afterwards: they were not in it."""
    assert not holds(numbers_within(part), NUMBERS)


def test_numbers_found_are_those_before_reading():
    """An object that fills its own memory when it is read did not hold them."""
    memory = np.zeros_like(NUMBERS)
    found = numbers_within(Holder(memory))
    memory[...] = NUMBERS
    assert not holds(found, NUMBERS)


def test_an_object_that_refers_to_very_much_does_not_take_long():
    """The search ends."""
    many = [Slotted(str(n)) for n in range(300_000)]
    assert not holds(numbers_within(Holder(many)), NUMBERS)


@pytest.mark.parametrize(
    ("part", "plain"),
    [
        (NUMBERS, True),
        (NUMBERS.view(Subclass), False),
        (np.array([{}], object), False),
        (NUMBERS.tolist(), True),
        ([[1, 2.0]], True),
        ([[np.float64(1)]], True),
        ([NUMBERS[0]], False),
        ([[Later()]], False),
        (((1.0,),), False),
        ([], True),
    ],
)
def test_only_arrays_and_lists_of_numbers_are_plain(part, plain):
    """They can hide nothing when they are read."""
    assert is_plain(part) is plain
