"""What charts and sentences need in addition to the table: the passes behind each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from forwardbench.analysis.noise import noise_floors
from forwardbench.analysis.rows import is_measured
from forwardbench.results import CELL_KEY, HOST

if TYPE_CHECKING:
    from forwardbench.results import Ceilings, Results


@dataclass(frozen=True)
class Evidence:
    """The measurements behind the rows of a table, by the table's index."""

    passes: pd.Series[Any]
    """A tuple of the seconds per call in each pass, NaN where a pass has none; empty for rows that
    were not measured."""
    floors: pd.Series[float]
    """The noise floor of each row, as a factor: a smaller ratio is noise."""
    level: float
    """Level that intervals are computed at, chosen so that 95 % of them hold the true value."""
    ceilings: Ceilings


def gather(results: Results, table: pd.DataFrame) -> Evidence:
    """Find the measurements behind each row of the table that was made from these results."""
    samples = results.samples
    columns = [samples[name].tolist() for name in (HOST, *CELL_KEY, "pass", "seconds")]
    by_cell: dict[tuple[Any, ...], dict[int, float]] = {}
    for *key, number, seconds in zip(*columns, strict=True):
        by_cell.setdefault(tuple(key), {})[number] = seconds
    last = samples.groupby(HOST)["pass"].max().to_dict()
    keys = table[[HOST, *CELL_KEY]].itertuples(index=False, name=None)
    passes = [
        _passes(by_cell[key], int(last[key[0]])) if measured else ()
        for key, measured in zip(keys, is_measured(table), strict=True)
    ]
    return Evidence(
        pd.Series(passes, table.index, dtype=object),
        noise_floors(table),
        results.level,
        results.ceilings,
    )


def _passes(seconds: dict[int, float], count: int) -> tuple[float, ...]:
    return tuple(float(seconds.get(number, float("nan"))) for number in range(1, count + 1))
