"""From which size on one implementation is faster than another, and which is fastest at each.

Pure functions on one setting (sweep, dtype, threads) of the table. Times are paired inside each
pass. Between neighbouring sizes the logarithm of their ratio is interpolated over the logarithm
of the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.rows import is_control, is_credible, size_axis, sizes
from forwardbench.statistics.intervals import log_intervals

_BENDS = (0, -1, 1)
"""Ways to interpolate: 0 is a straight line, -1 and 1 bend it by the left or right neighbour."""
_STEPS = 12
"""Number of steps between two sizes at which the interpolated ratio gets an interval."""


class Crossover(NamedTuple):
    """A size at which one implementation overtakes another, with its 95 % interval."""

    size: float
    low: float
    """NaN, like ``high``, where there was one pass only."""
    high: float
    upward: bool
    """True if it is faster above this size, False if it is faster below."""


class Reach(NamedTuple):
    """Over which of the measured sizes something holds."""

    kind: str
    """`always`; `never`; `from` or `until` a crossover; `some`, for any other set of sizes;
    `unclear`, where no difference is shown at any size."""
    crossover: Crossover | None
    sizes: tuple[int, ...]
    """Every size at which both were measured."""
    shown: tuple[int, ...]
    """The sizes at which it holds."""
    slower: tuple[int, ...]
    """The sizes at which the contrary is shown."""


class Ratios(NamedTuple):
    """How many times as fast one implementation is as another, by size and pass."""

    sizes: NDArray[np.float64]
    """Shape (sizes,), growing."""
    logs: NDArray[np.float64]
    """Shape (passes, sizes): logarithms of the ratios; NaN where a pass lacks one of the times."""
    signs: NDArray[np.int64]
    """Shape (sizes,): 1 where it is shown to be faster, -1 where slower, 0 where neither is."""
    level: float
    """Level of the intervals."""


def paired_ratios(
    table: pd.DataFrame, evidence: Evidence, implementation: str, other: str, factor: float = 1.0
) -> Ratios:
    """Ratios of ``other``'s time to ``implementation``'s, divided by ``factor``, by size.

    A difference is shown where the interval excludes 1 and, for a factor of 1, the ratio lies
    outside the noise floor. A single pass without an interval counts without one.
    """
    rows = _credible_rows(table[table["implementation"].isin([implementation, other])], evidence)
    columns = ["size", "case", "activation", "passes", "floor", "half_width"]
    one_rows = rows.loc[rows["implementation"] == implementation, columns]
    other_rows = rows.loc[rows["implementation"] == other, columns]
    both = one_rows.merge(other_rows, on=["size", "case", "activation"], suffixes=("", "_other"))
    both = both.sort_values("size").drop_duplicates("size")
    logs = np.log(np.divide(_passes(both["passes_other"]), _passes(both["passes"])) / factor)
    floors = np.log(both["floor"].to_numpy(float)) if factor == 1 else np.zeros(len(both))
    floors = np.maximum(floors, np.hypot(both["half_width"], both["half_width_other"]))
    signs = _signs(logs, floors, evidence.level)
    return Ratios(both["size"].to_numpy(float), logs.T, signs, evidence.level)


def _passes(rows: pd.Series[Any]) -> NDArray[np.float64]:
    """The seconds of each pass of each row, shape (rows, passes)."""
    return np.array(rows.tolist(), float).reshape(len(rows), -1 if len(rows) else 0)


def _credible_rows(table: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """The rows with credible times, and size, passes, noise floor and half-width of each.

    The half-width, in the logarithm, is that of the timing tool's interval for a single pass.
    With several passes it is 0, because the passes themselves give the interval.
    """
    widths = np.log((table["seconds_high"] / table["seconds_low"]).to_numpy(float)) / 2
    single = (table["passes"] == 1) & ~np.isnan(widths)
    return table.assign(
        size=sizes(table),
        passes=evidence.passes.loc[table.index],
        floor=evidence.floors.loc[table.index],
        half_width=np.where(single, widths, 0.0),
    )[is_credible(table)]


def _signs(
    logs: NDArray[np.float64], floors: NDArray[np.float64], level: float
) -> NDArray[np.int64]:
    """Of each row of logarithms of ratios: 1 or -1 where a difference is shown, 0 where none is."""
    centres, lows, highs = np.log(log_intervals(np.exp(logs), level))
    none_shown = ((lows <= 0) & (highs >= 0)) | (np.abs(centres) <= floors) | np.isnan(centres)
    return np.where(none_shown, 0, np.sign(centres)).astype(np.int64)


def crossovers(
    table: pd.DataFrame, evidence: Evidence, implementation: str, other: str, factor: float = 1.0
) -> list[Crossover]:
    """Sizes at which ``implementation`` becomes ``factor`` times as fast as ``other``, or stops.

    A change counts only between sizes that show a difference. Its interval holds every size
    where the interval of the interpolated ratio includes the factor (Fieller's construction). How
    the ratio runs between two sizes is not known. Therefore the interval covers three ways of
    interpolating: a straight line, and parabolas through the next size on the left or right.
    """
    if not size_axis(table):
        return []
    return list(_changes(paired_ratios(table, evidence, implementation, other, factor)))


def _changes(ratios: Ratios) -> Iterator[Crossover]:
    """Yield every change of sign between neighbouring sizes that show a difference."""
    shown = np.flatnonzero(ratios.signs)
    for left, right in pairwise(shown.tolist()):
        if ratios.signs[left] == ratios.signs[right]:
            continue
        upward = bool(ratios.signs[right] > 0)
        logs = ratios.logs if upward else -ratios.logs
        whole = logs[~np.isnan(logs[:, left : right + 1]).any(axis=1)]
        if len(whole):
            positions = np.log(ratios.sizes)
            roots = [_cross(positions, whole, (left, right), bend, ratios.level) for bend in _BENDS]
            centre = roots[0][0]
            low, high = min(root[1] for root in roots), max(root[2] for root in roots)
            crossing = [float(np.exp(position)) for position in (centre, low, high)]
            yield Crossover(crossing[0], crossing[1], crossing[2], upward)


def _cross(
    positions: NDArray[np.float64],
    logs: NDArray[np.float64],
    ends: tuple[int, int],
    bend: int,
    level: float,
) -> tuple[float, float, float]:
    """Where interpolated ``logs``, shape (passes, positions), rise through 0: centre, low, high.

    ``ends`` are the indices of two positions. At the first the logarithms are below 0, at the
    second above.
    """
    left, right = ends
    steps = np.linspace(left, right, _STEPS * (right - left) + 1)
    grid = np.interp(steps, np.arange(len(positions)), positions)
    paths = np.array([_path(grid, steps, positions, row, bend) for row in logs])
    centres, lows, highs = np.log(log_intervals(np.exp(paths.T), level))
    beside = np.isnan(paths).any(axis=0)  # a pass lacks the time beyond the last size
    centre = _first_rise(grid, np.where(beside, np.nan, centres))
    if beside.any() or np.isnan(highs).any():
        return centre, float("nan"), float("nan")
    low = _first_rise(grid, highs)
    high = -_first_rise(-grid[::-1], -lows[::-1])
    return centre, low, high


def _path(
    grid: NDArray[np.float64],
    steps: NDArray[np.float64],
    positions: NDArray[np.float64],
    logs: NDArray[np.float64],
    bend: int,
) -> NDArray[np.float64]:
    """Values on the grid: a straight line between neighbours, or Newton's parabola.

    The parabola also goes through the next position on one side: ``bend`` is -1 for the left, 1 for
    the right, and 0 for the line. Without a position on that side the line is used.
    """
    segment = np.clip(steps.astype(int), 0, len(positions) - 2)
    x0, x1 = positions[segment], positions[segment + 1]
    slope = (logs[segment + 1] - logs[segment]) / (x1 - x0)
    path: NDArray[np.float64] = logs[segment] + slope * (grid - x0)
    if not bend:
        return path
    third = segment - 1 if bend < 0 else segment + 2
    inside = (third >= 0) & (third < len(positions))
    third = np.clip(third, 0, len(positions) - 1)
    beyond = np.where(inside, positions[third], np.nan)  # never a distance of 0
    curvature = ((logs[third] - logs[segment + 1]) / (beyond - x1) - slope) / (beyond - x0)
    bent: NDArray[np.float64] = np.nan_to_num(curvature) * (grid - x0) * (grid - x1)
    return path + bent


def _first_rise(grid: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Where a curve first reaches 0 from below, interpolated; an end of the grid if outside it."""
    above = np.flatnonzero(curve >= 0)
    if not len(above):
        return float(grid[-1])
    if above[0] == 0:
        return float(grid[0])
    end = slice(above[0] - 1, above[0] + 1)
    return float(np.interp(0, curve[end], grid[end]))


def reach(
    table: pd.DataFrame, evidence: Evidence, implementation: str, other: str, factor: float = 1.0
) -> Reach:
    """At which measured sizes one implementation is (``factor`` times) faster than another."""
    ratios = paired_ratios(table, evidence, implementation, other, factor)
    common_sizes = tuple(int(size) for size in ratios.sizes)
    shown, slower = (
        tuple(int(size) for size in ratios.sizes[ratios.signs == sign]) for sign in (1, -1)
    )
    if not shown:
        return Reach("never" if slower else "unclear", None, common_sizes, (), slower)
    if len(shown) == len(common_sizes):
        return Reach("always", None, common_sizes, shown, slower)
    crossings = list(_changes(ratios)) if size_axis(table) else []
    faster = np.flatnonzero(ratios.signs > 0)
    contiguous = len(faster) == faster[-1] - faster[0] + 1
    upward = bool(crossings) and crossings[0].upward
    at_the_end = faster[-1] == len(common_sizes) - 1 if upward else faster[0] == 0
    if len(crossings) == 1 and contiguous and at_the_end:
        kind = "from" if upward else "until"
        return Reach(kind, crossings[0], common_sizes, shown, slower)
    return Reach("some", None, common_sizes, shown, slower)


class Winner(NamedTuple):
    """The fastest implementation on one case."""

    case: str
    size: int
    best: str
    ties: tuple[str, ...]
    """Implementations that are not shown to be slower."""


def winners(table: pd.DataFrame, evidence: Evidence) -> list[Winner]:
    """The fastest measured implementation on each case, by growing size."""
    rows = _credible_rows(table, evidence)
    rows = rows[~is_control(rows)].sort_values(["size", "case", "seconds"])
    place = rows.groupby(["size", "case", "activation"], sort=False).ngroup().to_numpy()
    first = np.unique(place, return_index=True)[1]
    best = rows.iloc[first]
    fastest = rows.iloc[first[place]]  # for each row, the fastest on its case
    logs = np.log(np.divide(_passes(rows["passes"]), _passes(fastest["passes"])))
    half_widths = np.hypot(fastest["half_width"], rows["half_width"].to_numpy())
    floors = np.maximum(np.log(fastest["floor"].to_numpy(float)), half_widths.to_numpy(float))
    tied = _signs(logs, floors, evidence.level) == 0
    tied[first] = False
    names: list[list[str]] = [[] for _ in first]
    for number in np.flatnonzero(tied).tolist():
        names[place[number]].append(str(rows["implementation"].iloc[number]))
    return [
        Winner(str(case), int(size), str(name), tuple(ties))
        for case, size, name, ties in zip(
            best["case"], best["size"], best["implementation"], names, strict=True
        )
    ]


class Lead(NamedTuple):
    """Neighbouring sizes at which the same implementations are fastest or tied with the fastest."""

    names: tuple[str, ...]
    """These implementations; the one that is fastest most often comes first."""
    smallest: int
    largest: int


def leads(table: pd.DataFrame, evidence: Evidence) -> list[Lead]:
    """Split the sizes, in growing order, into as few parts as possible with one lead in each."""
    parts: list[tuple[list[Winner], set[str]]] = []
    for winner in winners(table, evidence):
        ahead = {winner.best, *winner.ties}
        if parts and parts[-1][1] & ahead:
            parts[-1] = [*parts[-1][0], winner], parts[-1][1] & ahead
        else:
            parts.append(([winner], ahead))
    return [Lead(_most_often(part, names), part[0].size, part[-1].size) for part, names in parts]


def _most_often(part: list[Winner], names: set[str]) -> tuple[str, ...]:
    """Sort the names by how often each is fastest in a part, the most often first."""
    best = [winner.best for winner in part]
    return tuple(sorted(names, key=lambda name: (-best.count(name), name)))


class Change(NamedTuple):
    """A change of the lead: another implementation is fastest from there on."""

    before: str
    after: str
    crossover: Crossover | None
    """Where they cross; None where ``before`` is not shown to be faster at any size."""


def changes_of_lead(table: pd.DataFrame, evidence: Evidence) -> list[Change]:
    """The changes between neighbouring leads, by growing size."""
    changes = []
    for old, new in pairwise(leads(table, evidence)):
        before, after = old.names[0], new.names[0]
        crossings = [
            crossing
            for crossing in crossovers(table, evidence, after, before)
            if crossing.upward and old.smallest <= crossing.size <= new.largest
        ]
        changes.append(Change(before, after, crossings[-1] if crossings else None))
    return changes
