"""Statistics: from samples, one per cell and pass, to the table behind everything that is shown.

All functions are pure. A speedup pairs baseline and implementation inside each pass. This removes
whatever slowed the whole pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forwardbench.analysis.amounts import amount_of
from forwardbench.analysis.columns import COLUMNS
from forwardbench.analysis.estimates import with_estimates
from forwardbench.analysis.plausibility import describe_implausibility
from forwardbench.errors import UserError
from forwardbench.records import Status
from forwardbench.results import CELL_KEY, Results
from forwardbench.results.several_machines import name_machine
from forwardbench.statistics.intervals import log_intervals


@dataclass(frozen=True)
class _Samples:
    """The passes of the cells that have some: arrays of shape (cells, passes), NaN where none is.

    Intervals of thousands of cells are computed at once: one by one they take longer than all else.
    """

    rows: dict[tuple[Any, ...], int]
    """The row of each cell, by `CELL_KEY`."""
    seconds: NDArray[np.float64]
    lows: NDArray[np.float64]
    """Ends of the timing tool's own interval."""
    highs: NDArray[np.float64]
    errors: NDArray[np.float64]


def summarize(results: Results, baseline: str | None = None) -> pd.DataFrame:
    """Make the table: one row per cell, with the columns of `COLUMNS`.

    A control's speedup is relative to the implementation that it repeats. A speedup is empty
    where the baseline has no credible time. Raises `UserError` for a baseline that is not one of
    the implementations. The runs of several machines are summarized one by one: times of two
    machines are never paired.
    """
    if results.parts:
        return _side_by_side(results, baseline)
    if baseline is not None:
        _check_baseline(results, baseline)
    baseline = baseline or results.baseline
    cells = _records(results.cells)
    samples = _samples_of(results.samples)
    rows = _rows(cells, samples, baseline, results.level)
    credible = {_key(row) for row in rows if row["status"] == Status.MEASURED}
    for row in rows:
        on_gpu = _repeated_name(row) in results.on_gpu
        implausibility = "" if on_gpu else describe_implausibility(row, results.ceilings)
        row["reason"] = row["reason"] or implausibility
        if row["status"] == Status.MEASURED:
            row["credible"] = not implausibility
        if implausibility:  # an implausible time cannot be a baseline
            credible.discard(_key(row))
    _add_speedups(rows, samples, credible, results.level)
    table = pd.DataFrame(rows).assign(machine=name_machine(results), commit=results.commit)
    table["credible"] = table["credible"].astype("boolean")
    return with_estimates(table[COLUMNS])


def _samples_of(frame: pd.DataFrame) -> _Samples:
    """The passes of each cell, from `Results.samples`."""
    rows: dict[tuple[Any, ...], int] = {}
    keys = zip(*(frame[name].tolist() for name in CELL_KEY), strict=True)
    places = np.array([rows.setdefault(key, len(rows)) for key in keys], dtype=np.int64)
    numbers, passes = np.unique(frame["pass"].to_numpy(), return_inverse=True)

    def spread_out(name: str) -> NDArray[np.float64]:
        values = np.full((len(rows), len(numbers)), np.nan)
        values[places, passes] = frame[name].to_numpy(float)
        return values

    return _Samples(rows, *map(spread_out, ("seconds", "low", "high", "error")))


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in CELL_KEY)


def _repeated_name(row: dict[str, Any]) -> str:
    """The implementation of a row; of a control, the one that it repeats."""
    return str(row["control_of"] or row["implementation"])


def _side_by_side(results: Results, baseline: str | None) -> pd.DataFrame:
    """Join the tables of several machines: each setting lists all machines in turn."""
    if not (baseline or results.baseline):
        baselines = ", ".join(f"{part.host}: {part.baseline}" for part in results.parts)
        raise UserError(
            f"these runs have different baselines ({baselines}): choose one: --baseline NAME"
        )
    tables = pd.concat([summarize(part, baseline) for part in results.parts], ignore_index=True)
    order = tables.groupby(["workload", "sweep", "dtype", "threads"], sort=False).ngroup()
    return tables.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _check_baseline(results: Results, baseline: str) -> None:
    cells = results.cells[results.cells["control_of"] == ""]
    names = sorted(set(cells["implementation"]))
    if baseline not in names:
        raise UserError(f"no baseline {baseline!r} there: choose from {', '.join(names)}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries of columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _rows(
    cells: list[dict[str, Any]], samples: _Samples, baseline: str, level: float
) -> list[dict[str, Any]]:
    """The rows of the table, without their speedups."""
    times = _intervals_of(samples, level).tolist()
    counts = np.count_nonzero(~np.isnan(samples.seconds), axis=1).tolist()
    errors = np.fmax.reduce(samples.errors, axis=1, initial=np.nan).tolist()
    rows = []
    for cell in cells:
        row = {
            **dict.fromkeys(COLUMNS, np.nan),
            **{name: cell[name] for name in COLUMNS if name in cell},
            "baseline": cell["control_of"] or baseline,
            "passes": 0,
            "credible": None,
        }
        if cell["status"] == Status.MEASURED:
            place = samples.rows[_key(cell)]
            row["passes"] = counts[place]
            row.update(_named("seconds", times[place]))
            amount = amount_of(cell["workload"], cell["case"])
            if amount.is_known:
                row["gflops"] = 2 * amount.multiply_adds / row["seconds"] / 1e9
            row["error"] = errors[place]
        elif cell["status"] == Status.SKIPPED and cell["predicted"] == cell["predicted"]:
            row["status"] = str(Status.ESTIMATED)
            predicted = [cell["predicted"], cell["predicted_low"], cell["predicted_high"]]
            row.update(_named("seconds", predicted))
        rows.append(row)
    return rows


def _add_speedups(
    rows: list[dict[str, Any]], samples: _Samples, credible: set[tuple[Any, ...]], level: float
) -> None:
    """Add speedups with intervals; they stay empty where a row or its baseline has no time.

    The baseline's time must be credible. The row's own time need not be: its ratio is shown and
    marked.
    """
    paired = []
    for row in rows:
        if row["status"] != Status.MEASURED:
            continue
        if row["baseline"] == row["implementation"]:
            row.update(_named("speedup", [1.0, 1.0, 1.0]))
            continue
        key = _key({**row, "implementation": row["baseline"]})
        if key in credible:
            paired.append((row, (samples.rows[key], samples.rows[_key(row)])))
    ratios = _ratios_of(samples, [pair for _, pair in paired], level)
    for (row, _), ratio in zip(paired, ratios, strict=True):
        row.update(_named("speedup", ratio))


def _intervals_of(samples: _Samples, level: float) -> NDArray[np.float64]:
    """Centre, low and high of each cell's times, shape (cells, 3).

    The interval is over passes, or with one pass the timing tool's.
    """
    intervals = log_intervals(samples.seconds, level)
    known = ~np.isnan(samples.seconds)
    single = np.count_nonzero(known, axis=1) == 1
    for interval, ends in zip(
        intervals, (samples.seconds, samples.lows, samples.highs), strict=True
    ):
        interval[single] = ends[single][known[single]]
    return intervals.T


def _ratios_of(samples: _Samples, pairs: list[tuple[int, int]], level: float) -> list[list[float]]:
    """Ratios of two cells' times, paired inside each pass; NaN where no pass has both.

    ``pairs`` are the baseline's row of the samples and a cell's own.
    """
    baselines, own = np.array(pairs, np.int64).reshape(-1, 2).T
    ratios = samples.seconds[baselines] / samples.seconds[own]
    intervals: list[list[float]] = log_intervals(ratios, level).T.tolist()
    known = ~np.isnan(ratios)
    for place in np.flatnonzero(np.count_nonzero(known, axis=1) == 1).tolist():
        number = int(np.flatnonzero(known[place])[0])
        baseline, time = (_timing(samples, row, number) for row in pairs[place])
        intervals[place] = _ratio_of_one_pass(float(ratios[place, number]), baseline, time)
    return intervals


def _timing(samples: _Samples, row: int, number: int) -> list[float]:
    """Seconds of one cell in one pass, with the ends of the timing tool's own interval."""
    return [float(each[row, number]) for each in (samples.seconds, samples.lows, samples.highs)]


def _ratio_of_one_pass(ratio: float, baseline: list[float], time: list[float]) -> list[float]:
    """A ratio with an interval from the timing tool's own intervals, as far as it gave any.

    The two times are independent, so the variances of their logarithms add up.
    """
    seconds, low, high = zip(baseline, time, strict=True)
    down = math.hypot(math.log(seconds[0] / low[0]), math.log(high[1] / seconds[1]))
    up = math.hypot(math.log(high[0] / seconds[0]), math.log(seconds[1] / low[1]))
    return [ratio, ratio * math.exp(-down), ratio * math.exp(up)]


def _named(name: str, interval: list[float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
