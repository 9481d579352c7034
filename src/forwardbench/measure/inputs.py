"""The numbers that cells are timed with: inputs, new numbers for each round, correct results."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from forwardbench.verification.rounds import renew

if TYPE_CHECKING:
    from forwardbench.cases import Case
    from forwardbench.workloads import Answer, Inputs, Workload

KEPT_BYTES = 2**28
"""Inputs of so many bytes are kept for other cells with the same inputs."""


def draw_changes(case: Case, count: int, seed: str) -> list[tuple[int, float]]:
    """Draw how the numbers of each round differ from those that every machine has.

    Each change is a shift and a factor, see `renew`. The last one does not depend on ``count``: so
    all cells of a case have the same, and are compared with the same correct result.
    """
    size = case.batch * case.widths[0]
    source = Random(f"{seed} {case} {case.example}")
    drawn = [(source.randrange(size), source.uniform(0.5, 1.0)) for _ in range(count)]
    return drawn[::-1]


def inputs_of(workload: Workload, case: Case) -> Inputs:
    """Make a case's inputs; those of small cases are kept, since several cells need them."""
    small = workload.bytes(case) <= KEPT_BYTES
    return _kept_inputs(workload, case) if small else workload.inputs(case)


@lru_cache(maxsize=32)
def _kept_inputs(workload: Workload, case: Case) -> Inputs:
    return workload.inputs(case)


@lru_cache(maxsize=32)
def expected_of(
    workload: Workload, case: Case, change: tuple[int, float], seed: int
) -> tuple[list[Answer], list[Answer]]:
    """The correct result in a few places, and nearly the correct one in every place."""
    data, layers = inputs_of(workload, case)
    renewed = tuple(array.copy() for array in data)
    for array, given in zip(renewed, data, strict=True):
        renew(given, *change, array)
    nearly = workload.nearly(*renewed, layers) if workload.nearly else []
    return workload.answers(*renewed, layers, few=True, seed=seed), nearly
