"""Tests for `forwardbench.measure.worker`: the order of visits."""

from types import SimpleNamespace

import pytest

from forwardbench.cases import parse_case
from forwardbench.measure.timing import Judge, Visit
from forwardbench.measure.worker import make_visits
from forwardbench.records import Cell
from forwardbench.verification.check import WrongResultError

CELLS = [Cell("matmul", "matmul", "shapes", parse_case(f"{n}x2-2")) for n in (1, 2, 3)]


class FakeJudge(Judge):
    """Notes what it is asked to visit, and wants some cells again, so many times."""

    def __init__(self, again):
        self.asked, self.again = [], again

    def visit(self, cell, seconds, *, last, following=None):
        """Note the visit."""
        number = CELLS.index(cell)
        self.asked.append((number, last, None if following is None else CELLS.index(following)))
        if self.again.get(number) == "wrong":
            raise WrongResultError("is wrong")
        wanted = last and self.again.get(number, 0) > 0
        if wanted:
            self.again[number] -= 1
        return Visit([], 1, 0.0, again=wanted)

    def close(self):
        """Nothing is left over."""


def visits_made(order, again):
    """What a worker asks for, what it tells, and what comes of it."""
    judge, told = FakeJudge(again), []
    cells = [{"cell": cell.to_json(), "seconds": 1e-3} for cell in CELLS]
    outcome = make_visits({"cells": cells, "visits": order}, judge, told.append)
    return SimpleNamespace(asked=judge.asked, told=told, outcome=outcome)


def test_each_visit_knows_whether_it_is_the_last_and_what_follows():
    """As the task's order says."""
    made = visits_made([0, 1, 1, 0], {})
    assert made.asked == [(0, False, 1), (1, False, 1), (1, True, 0), (0, True, None)]
    assert made.told == [0, 1, 1, 0]


def test_what_was_disturbed_is_visited_again_in_the_end():
    """After all others, since what disturbs often lasts a while; nobody is told of it."""
    made = visits_made([2, 0, 1, 0], {2: 2, 0: 1})
    numbers = [number for number, _, _ in made.asked]
    assert numbers == [2, 0, 1, 0, 2, 0, 2]
    assert [last for _, last, _ in made.asked] == [True, False, True, True, True, True, True]
    assert made.told == [2, 0, 1, 0]
    assert {number: len(visits) for number, visits in made.outcome.visits.items()} == {
        2: 3, 0: 3, 1: 1,
    }  # fmt: skip


@pytest.mark.parametrize("order", [[0, 1, 0], [0, 0, 1]])
def test_what_is_wrong_is_not_visited_again(order):
    """Its visits are told all the same, so whoever counts them sees the end."""
    made = visits_made(order, {0: "wrong"})
    assert [number for number, _, _ in made.asked] == [0, 1]
    assert made.outcome.rejected == {0: "is wrong"}
    assert made.told == order
