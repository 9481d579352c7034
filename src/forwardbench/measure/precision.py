"""Which cells need more passes until their intervals are as narrow as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forwardbench.cases import Case
from forwardbench.measure.passes import PlannedCell
from forwardbench.records import Cell
from forwardbench.statistics.intervals import EARLY_STOP_LEVEL, log_interval

Samples = Mapping[Cell, Mapping[int, float]]
"""Seconds a call of each cell, by the number of the pass."""


def cells_to_repeat(
    plan: Sequence[PlannedCell], samples: Samples, baseline: str, precision: float
) -> list[PlannedCell]:
    """Choose the cells whose interval is wider than asked for, and what they are paired with.

    ``precision`` is the half-width of a speedup's interval as a share of the speedup; where
    there is no baseline it is that of the time.
    """
    cells = {_key(each.cell, each.cell.label): each.cell for each in plan}
    needed: set[Cell] = set()
    for cell in cells.values():
        # A control is relative to what it repeats.
        partner = cells.get(_key(cell, cell.implementation if cell.control else baseline))
        if partner == cell:
            continue  # once as fast as itself, for certain
        values = _ratios(samples.get(cell, {}), samples.get(partner, {}) if partner else None)
        if not values or not log_interval(values, EARLY_STOP_LEVEL).half_width <= precision:
            needed |= {cell, partner} if partner else {cell}
    return [each for each in plan if each.cell in needed]


def _key(cell: Cell, label: str) -> tuple[str, str, Case, int]:
    return label, cell.sweep, cell.case, cell.threads


def _ratios(own: Mapping[int, float], other: Mapping[int, float] | None) -> list[float]:
    """Ratios of the passes that have both; the times themselves where there is no other."""
    if other is None:
        return list(own.values())
    return [other[number] / seconds for number, seconds in own.items() if number in other]
