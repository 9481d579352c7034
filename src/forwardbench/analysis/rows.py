"""What a row of the table is: a control, credible, how large its case."""

from __future__ import annotations

from functools import cache

import pandas as pd

from forwardbench.analysis.plausibility import IMPLAUSIBLE
from forwardbench.cases import parse_case
from forwardbench.workloads.forward import SWEEPS, count_multiply_adds


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
    return {"batch": case.batch, "inputs": case.widths[0]}.get(axis, count_multiply_adds(case))


def work(table: pd.DataFrame) -> pd.Series[float]:
    """Multiply-adds of each row's case."""
    found = {case: count_multiply_adds(parse_case(case)) for case in set(table["case"])}
    return table["case"].map(found).astype(float)


def slowest_first(table: pd.DataFrame) -> list[str]:
    """Implementations by their time on the largest case each has, estimated or not."""
    rows = table[~is_control(table) & table["seconds"].notna()]
    rows = rows.assign(work=work(rows))
    largest = rows.sort_values("work").groupby("implementation").tail(1)
    order = largest.sort_values(["work", "seconds"], ascending=False)["implementation"]
    return [str(name) for name in order]
