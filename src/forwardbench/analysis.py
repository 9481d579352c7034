"""Statistics: from samples, one per cell and pass, to the table that everything is shown from.

All functions are pure. Intervals over passes are `forwardbench.intervals`'. A speedup pairs
baseline and implementation inside each pass, which removes whatever slowed that whole pass.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from forwardbench.cases import SWEEPS, Case, parse_case
from forwardbench.errors import UserError
from forwardbench.intervals import Interval, log_interval
from forwardbench.measure.ceiling import COPIED_BYTES
from forwardbench.measure.fit import Fit, fit_times
from forwardbench.results import CELL_KEY, HOST, Results
from forwardbench.results.machines import name_machine

COLUMNS = [
    "implementation", "sweep", "case", "batch", "widths", "activation", "dtype", "threads",
    "status", "reason", "passes", "seconds", "seconds_low", "seconds_high", "baseline",
    "speedup", "speedup_low", "speedup_high", "gflops", "error", "machine", "commit",
]  # fmt: skip
"""The columns of `table.csv`, in its order. Times are seconds a call."""
PASS_SECONDS = "pass_seconds"  # noqa: S105 (a column, no password)
"""A column of the table in memory: a tuple with the time of each pass, NaN where a pass has none.
Charts of samples and crossovers, which pair passes, are made from it."""
LEVEL_COLUMN = "level"
"""Another one: the level that the run's intervals are computed at."""
HOST_COLUMN = HOST
"""And a third: what tells machines apart, where a table is of several; else empty."""
IN_MEMORY = [PASS_SECONDS, LEVEL_COLUMN, HOST_COLUMN]

SETTING = ["sweep", "dtype", "threads", HOST_COLUMN]
"""Columns that are constant over one chart."""
NO_DIFFERENCE = "no difference shown"
IMPLAUSIBLE = "implausible"
"""First word of the reason of a row that was measured and is not believed."""
PLAUSIBLE = 1.5
"""Clocks vary, and so do libraries: so far above a measured peak a result is still believed."""
FIT_POINTS = 4
"""Fewer measured sizes than this say too little of the cost of larger ones."""
UNCERTAIN = 1e6
"""A prediction that may be off by more than this factor has no interval."""


def summarize(results: Results, baseline: str | None = None) -> pd.DataFrame:
    """Make the table: one row per cell, with the columns of `COLUMNS` and `IN_MEMORY`.

    A control's speedup is relative to the implementation that it repeats. A speedup is
    empty where the baseline was not measured, or not believed. Raises `UserError` for a baseline
    that is none of the implementations. Of several machines' runs each is summarized by itself:
    nothing is ever paired across them.
    """
    if results.parts:
        return _side_by_side(results, baseline)
    if baseline is not None:
        _check_baseline(results, baseline)
    baseline = baseline or results.baseline
    groups = results.samples.groupby(CELL_KEY, sort=False)
    samples = {key: group.set_index("pass") for key, group in groups}
    for cell in _records(results.cells):
        if cell["status"] != "measured":  # a rejected time is no baseline either
            samples.pop(tuple(cell[name] for name in CELL_KEY), None)
    passes = int(results.samples["pass"].max()) if len(results.samples) else 0
    rows = [
        _row(cell, samples, baseline, results.level, passes) for cell in _records(results.cells)
    ]
    for row, cell in zip(rows, _records(results.cells), strict=True):
        on_gpu = (cell["control_of"] or cell["implementation"]) in results.on_gpu
        doubt = "" if on_gpu else _implausible(row, results.ceilings)
        row["reason"] = row["reason"] or doubt
        if doubt:  # nor is a time that is not believed
            samples.pop(tuple(row[name] for name in CELL_KEY), None)
    for row in rows:
        row.update(_speedup_of(row, samples, results.level))
    table = pd.DataFrame(rows).assign(machine=name_machine(results), commit=results.commit)
    table[HOST_COLUMN] = results.host
    table[LEVEL_COLUMN] = results.level
    return _with_estimates(table[[*COLUMNS, *IN_MEMORY]])


def _side_by_side(results: Results, baseline: str | None) -> pd.DataFrame:
    """The tables of several machines as one, where machines alternate from setting to setting."""
    if not (baseline or results.baseline):
        named = ", ".join(f"{part.host}: {part.baseline}" for part in results.parts)
        raise UserError(
            f"these runs have different baselines ({named}): choose one: --baseline NAME"
        )
    tables = pd.concat([summarize(part, baseline) for part in results.parts], ignore_index=True)
    order = tables.groupby(["sweep", "dtype", "threads"], sort=False).ngroup()
    return tables.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _check_baseline(results: Results, baseline: str) -> None:
    own = results.cells[results.cells["control_of"] == ""]
    names = sorted(set(own["implementation"]))
    if baseline not in names:
        raise UserError(f"no baseline {baseline!r} there: choose from {', '.join(names)}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries of columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _row(
    cell: dict[str, Any],
    samples: dict[tuple[Any, ...], pd.DataFrame],
    baseline: str,
    level: float,
    passes: int,
) -> dict[str, Any]:
    """One row of the table; ``passes`` is how many the run has."""
    row = {
        **dict.fromkeys(COLUMNS, np.nan),
        **{name: cell[name] for name in COLUMNS if name in cell},
        "baseline": cell["control_of"] or baseline,
        "passes": 0,
        PASS_SECONDS: (),
    }
    key = [cell[name] for name in CELL_KEY]
    if cell["status"] == "measured":
        own = samples[tuple(key)]
        row["passes"] = len(own)
        row[PASS_SECONDS] = tuple(own["seconds"].reindex(range(1, passes + 1)).tolist())
        row.update(_named("seconds", _interval_of(own, level)))
        row["gflops"] = 2 * parse_case(cell["case"]).multiply_adds / row["seconds"] / 1e9
        row["error"] = own["error"].max()
    elif cell["status"] == "skipped" and cell["predicted"] == cell["predicted"]:
        row["status"] = "estimated"
        predicted = (cell["predicted"], cell["predicted_low"], cell["predicted_high"])
        row.update(_named("seconds", Interval(*predicted)))
    return row


def _speedup_of(
    row: dict[str, Any], samples: dict[tuple[Any, ...], pd.DataFrame], level: float
) -> dict[str, float]:
    """A row's speedup with its interval; nothing where its time or the baseline's is no time.

    A row that is not believed itself keeps its ratio: it is shown, and marked.
    """
    if row["status"] != "measured":
        return {}
    if row["baseline"] == row["implementation"]:
        return _named("speedup", Interval(1.0, 1.0, 1.0))
    key = [row["baseline"], *(row[name] for name in CELL_KEY[1:])]
    other = samples.get(tuple(key))
    if other is None:
        return {}
    seconds = pd.Series(row[PASS_SECONDS], range(1, len(row[PASS_SECONDS]) + 1)).dropna()
    own = pd.DataFrame({"seconds": seconds, "low": row["seconds_low"], "high": row["seconds_high"]})
    return _named("speedup", _ratio_of(other, own, level))


def _interval_of(own: pd.DataFrame, level: float) -> Interval:
    """The centre of a cell's times; the interval over passes, or the tool's own for one."""
    if len(own) == 1:
        centre, low, high = (float(own[name].iloc[0]) for name in ("seconds", "low", "high"))
        return Interval(centre, low, high)
    return log_interval(own["seconds"].tolist(), level)


def _ratio_of(other: pd.DataFrame, own: pd.DataFrame, level: float) -> Interval:
    """Ratio of two cells' times, paired inside each pass; NaN where no pass has both.

    One measurement each, with intervals of the tool's own, has nothing to pair: logarithms of
    independent times have variances that add up.
    """
    ratios = (other["seconds"] / own["seconds"]).dropna()
    if ratios.empty:
        return Interval(np.nan, np.nan, np.nan)
    if len(ratios) > 1:
        return log_interval(ratios.tolist(), level)
    centre = float(ratios.iloc[0])
    theirs, ours = other.loc[ratios.index[0]], own.loc[ratios.index[0]]
    down = math.hypot(
        math.log(theirs["seconds"] / theirs["low"]), math.log(ours["high"] / ours["seconds"])
    )
    up = math.hypot(
        math.log(theirs["high"] / theirs["seconds"]), math.log(ours["seconds"] / ours["low"])
    )
    return Interval(centre, centre * math.exp(-down), centre * math.exp(up))


def _implausible(row: dict[str, Any], ceilings: dict[tuple[str, int], tuple[float, float]]) -> str:
    """Say by how much a time beats the machine's own measured peaks; empty if it does not.

    Nothing computes faster than the best matrix product, and arrays that no cache holds are
    read no faster than memory moves.
    """
    if row["status"] != "measured" or (row["dtype"], row["threads"]) not in ceilings:
        return ""
    gflops, bytes_per_second = ceilings[row["dtype"], row["threads"]]
    if row["gflops"] > PLAUSIBLE * gflops:
        claim = f"{row['gflops']:,.0f} GFLOP/s where this machine reached {gflops:,.0f}"
        return f"{IMPLAUSIBLE}: {claim}"
    size = parse_case(row["case"], dtype=row["dtype"]).bytes
    if size > COPIED_BYTES and size / row["seconds"] > PLAUSIBLE * bytes_per_second:
        claim = f"{size / row['seconds'] / 1e9:,.0f} GB/s where this machine moved"
        return f"{IMPLAUSIBLE}: {claim} {bytes_per_second / 1e9:,.0f}"
    return ""


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.centre, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _with_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Refine estimates where enough sizes of the same sweep were measured to fit them."""
    table = table.copy()
    for _, group in table.groupby(["implementation", *SETTING], sort=False):
        measured = group[group["status"] == "measured"]
        estimated = group[group["status"] == "estimated"]
        along_an_axis = group["sweep"].iloc[0] in SWEEPS and SWEEPS[group["sweep"].iloc[0]].axis
        if not along_an_axis or len(measured) < FIT_POINTS:
            continue
        fit = fit_times(
            [parse_case(case) for case in measured["case"]], measured["seconds"].tolist()
        )
        for index, case in estimated["case"].items():
            if fit is not None:
                columns = ["seconds", "seconds_low", "seconds_high"]
                table.loc[index, columns] = _estimate(fit, parse_case(case))
    return table


def _estimate(fit: Fit, case: Case) -> list[float | None]:
    """Predicted seconds with their interval, unless that is so wide that it says nothing."""
    with np.errstate(over="ignore"):
        seconds, low, high = fit.estimate(case)
    if high is None or high > UNCERTAIN * seconds:
        return [seconds, None, None]
    return [seconds, low, high]


# --- reading the table -----------------------------------------------------------------


def is_control(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows that measure an implementation a second time."""
    return table["implementation"] == table["baseline"] + " (control)"


def is_credible(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows that were measured and that this machine could have reached."""
    return (table["status"] == "measured") & ~table["reason"].str.startswith(IMPLAUSIBLE)


def size_axis(sweep: str) -> str:
    """Name what grows along a sweep: `batch` or `inputs`; empty where nothing does."""
    return SWEEPS[sweep].axis if sweep in SWEEPS else ""


def sizes(table: pd.DataFrame) -> pd.Series[float]:
    """Size of each row along its sweep's axis; multiply-adds where the sweep has none."""
    pairs = zip(table["sweep"], table["case"], strict=True)
    return pd.Series([_size(sweep, case) for sweep, case in pairs], table.index, dtype=float)


@cache
def _size(sweep: str, text: str) -> int:
    case = parse_case(text)
    axis = size_axis(sweep)
    return {"batch": case.batch, "inputs": case.widths[0]}.get(axis, case.multiply_adds)


def work(table: pd.DataFrame) -> pd.Series[float]:
    """Multiply-adds of each row's case."""
    found = {case: parse_case(case).multiply_adds for case in set(table["case"])}
    return table["case"].map(found).astype(float)


def slowest_first(table: pd.DataFrame) -> list[str]:
    """Implementations by their time on the largest case each has, estimated or not."""
    rows = table[~is_control(table) & table["seconds"].notna()]
    rows = rows.assign(work=work(rows))
    largest = rows.sort_values("work").groupby("implementation").tail(1)
    order = largest.sort_values(["work", "seconds"], ascending=False)["implementation"]
    return [str(name) for name in order]


def noise_floor(table: pd.DataFrame) -> float:
    """Return the factor that 95 % of ratios of identical code stay within; NaN without controls.

    Controls show it in two ways: by how far their ratios are from 1, which is their true value,
    and by how wide the intervals of these ratios are. The larger counts. Few controls say little
    in the first way alone, so the passes behind them count as degrees of freedom too.
    """
    controls = _squared_controls(table)
    if controls.empty:
        return float("nan")
    return float(_floor_of(controls.mean(), len(controls) + controls["freedom"].sum()))


def _squared_controls(table: pd.DataFrame) -> pd.DataFrame:
    """Of each control: its squared log ratio, that of its half-width, and its freedom's rest."""
    controls = table[is_control(table) & table["speedup"].notna()]
    speedup = controls["speedup"].to_numpy(float)
    half_widths = np.log(controls["speedup_high"].to_numpy(float) / speedup)
    squares = {"off": np.log(speedup) ** 2, "unsure": half_widths**2}
    return pd.DataFrame({**squares, "freedom": controls["passes"] - 1}, controls.index)


def _floor_of(means: Any, freedom: Any) -> Any:
    """The factor from mean squares and degrees of freedom: of one group, or of many at once."""
    from scipy.special import stdtrit

    apart = stdtrit(freedom, 0.975) * np.sqrt(means["off"])
    return np.exp(np.fmax(apart, np.sqrt(means["unsure"])))  # whose half-widths may be unknown


FLOOR = "floor"
"""Column of `noise_floors`, for whoever needs them again and again."""


def noise_floors(table: pd.DataFrame) -> pd.Series[float]:
    """The factor inside which each row's ratio is noise; 1 where no control says more.

    It is that of the row's setting, or that of its own case if that is larger, since large
    cases are timed less often.
    """
    if FLOOR in table:
        return table[FLOOR]
    controls = _squared_controls(table)
    floors = pd.Series(1.0, table.index)
    for keys in (SETTING, [*SETTING, "case", "activation"]):
        groups = controls.groupby([table.loc[controls.index, key] for key in keys], sort=False)
        freedom = groups.size() + groups["freedom"].sum()
        known = dict(zip(freedom.index, _floor_of(groups.mean(), freedom), strict=True))
        own = zip(*(table[key] for key in keys), strict=True)
        floors = floors.clip(lower=pd.Series([known.get(key, 1.0) for key in own], table.index))
    return floors


def verdicts(table: pd.DataFrame) -> pd.Series[str]:
    """Say of each row's speedup: faster, slower, or `NO_DIFFERENCE`; empty where none is known.

    A difference is shown only if the interval excludes 1 and the speedup lies outside the
    noise floor, where ratios of identical code lie as well.
    """
    speedup = table["speedup"]
    around_one = (table["speedup_low"] <= 1) & (table["speedup_high"] >= 1)
    in_noise = np.abs(np.log(speedup.astype(float))) <= np.log(noise_floors(table))
    words = np.select(
        [
            table["speedup_low"].isna() | (table["implementation"] == table["baseline"]),
            around_one | in_noise,
            speedup > 1,
        ],
        ["", NO_DIFFERENCE, "faster"],
        "slower",
    )
    return pd.Series(words, table.index)


def estimated_speedups(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the baseline's time where one of the two was only estimated; else NaN.

    Columns guess, guess_low and guess_high; the interval joins the far ends of both times'.
    """
    keys = ["sweep", "case", "activation", "dtype", "threads", HOST_COLUMN]
    doubted = (table["status"] == "measured") & ~is_credible(table)
    baseline = table[(table["implementation"] == table["baseline"]) & ~doubted].set_index(keys)
    theirs = baseline[~baseline.index.duplicated()].reindex(pd.MultiIndex.from_frame(table[keys]))
    guesses = pd.DataFrame(
        {
            "guess": theirs["seconds"].to_numpy() / table["seconds"],
            "guess_low": theirs["seconds_low"].to_numpy() / table["seconds_high"],
            "guess_high": theirs["seconds_high"].to_numpy() / table["seconds_low"],
        },
        index=table.index,
    )
    # However uncertain its time, the baseline is exactly once as fast as itself.
    guesses.loc[table["implementation"] == table["baseline"], ["guess_low", "guess_high"]] = np.nan
    unknown = table["speedup"].isna() & ~is_control(table)
    return guesses.where(unknown)
