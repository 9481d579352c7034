"""What charts and sentences need beside the table: the passes behind each of its rows."""

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
    """What lies behind the rows of a table, by the table's index."""

    passes: pd.Series[Any]
    """A tuple with the seconds a call of each pass, NaN where a pass has none; empty for what was
    not measured."""
    floors: pd.Series[float]
    """The factor inside which each row's ratio is noise."""
    level: float
    """What intervals are computed at, so that they hold the true value in 95 %."""
    ceilings: Ceilings


def gather(results: Results, table: pd.DataFrame) -> Evidence:
    """Find what lies behind each row of the table that was made of these results."""
    seconds = results.samples.set_index([HOST, *CELL_KEY])[["pass", "seconds"]]
    by_cell = {
        key: dict(zip(rows["pass"], rows["seconds"], strict=True))
        for key, rows in seconds.groupby(level=list(range(seconds.index.nlevels)), sort=False)
    }
    last = results.samples.groupby(HOST)["pass"].max().to_dict()
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
