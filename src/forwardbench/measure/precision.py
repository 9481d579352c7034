"""Chooses the cells that need more passes to reach the requested precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forwardbench.cases import Case
from forwardbench.measure.passes import PlannedCell
from forwardbench.records import Cell
from forwardbench.statistics.intervals import EARLY_STOP_LEVEL, log_interval

Samples = Mapping[Cell, Mapping[int, float]]
"""Seconds a call of each cell, by pass number."""


def cells_to_repeat(
    plan: Sequence[PlannedCell], samples: Samples, baseline: str, precision: float
) -> list[PlannedCell]:
    """Choose the cells whose interval is too wide, and the cells that they are paired with.

    ``precision`` is the half-width of a speedup's interval as a share of the speedup. For a cell
    without a baseline, the time's interval is used instead.
    """
    cells = {_key(planned.cell, planned.cell.label): planned.cell for planned in plan}
    needed: set[Cell] = set()
    for cell in cells.values():
        # A control is paired with the cell that it repeats.
        partner = cells.get(_key(cell, cell.implementation if cell.control else baseline))
        if partner == cell:
            continue  # its ratio to itself is exactly 1
        values = _ratios(samples.get(cell, {}), samples.get(partner, {}) if partner else None)
        if not values or not log_interval(values, EARLY_STOP_LEVEL).half_width <= precision:
            needed |= {cell, partner} if partner else {cell}
    return [planned for planned in plan if planned.cell in needed]


def _key(cell: Cell, label: str) -> tuple[str, str, Case, int]:
    return label, cell.sweep, cell.case, cell.threads


def _ratios(times: Mapping[int, float], partner: Mapping[int, float] | None) -> list[float]:
    """Ratios in the passes that have both cells; the times themselves if there is no partner."""
    if partner is None:
        return list(times.values())
    return [partner[number] / seconds for number, seconds in times.items() if number in partner]
