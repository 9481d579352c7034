"""Properties of the table's rows: control or not, credible or not, and the size of the case."""

from __future__ import annotations

import pandas as pd

from forwardbench.analysis.amounts import amount_of, axis_of
from forwardbench.records import Status


def is_control(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows that measure an implementation a second time."""
    return table["control_of"] != ""


def is_measured(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows with a measured time, credible or not."""
    return table["status"] == Status.MEASURED


def is_credible(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows that were measured and that this machine could have reached."""
    return table["credible"].fillna(False).astype(bool)


def is_doubted(table: pd.DataFrame) -> pd.Series[bool]:
    """Mark the rows that were measured and are faster than this machine can be."""
    return is_measured(table) & ~is_credible(table)


def size_axis(rows: pd.DataFrame) -> str:
    """Name what grows along the rows' sweep: `batch` or `inputs`; empty where nothing does."""
    return axis_of(str(rows["workload"].iloc[0]), str(rows["sweep"].iloc[0]))


def sizes(table: pd.DataFrame) -> pd.Series[float]:
    """Size of each row along its sweep's axis; multiply-adds where the sweep has none."""
    columns = (table[name].tolist() for name in ("workload", "sweep", "case"))
    cells = zip(*columns, strict=True)
    return pd.Series([_size(*cell) for cell in cells], table.index, dtype=float)


def _size(workload: str, sweep: str, case: str) -> int:
    amount = amount_of(workload, case)
    axis = axis_of(workload, sweep)
    return {"batch": amount.batch, "inputs": amount.inputs}.get(axis, amount.multiply_adds)


def work(table: pd.DataFrame) -> pd.Series[float]:
    """Multiply-adds of each row's case."""
    cells = zip(table["workload"].tolist(), table["case"].tolist(), strict=True)
    counts = [amount_of(workload, case).multiply_adds for workload, case in cells]
    return pd.Series(counts, table.index, dtype=float)


def slowest_first(table: pd.DataFrame) -> list[str]:
    """Implementations by their time on their largest case, the slowest first, estimated or not."""
    rows = table[~is_control(table) & table["seconds"].notna()]
    rows = rows.assign(work=work(rows))
    largest = rows.sort_values("work").groupby("implementation").tail(1)
    order = largest.sort_values(["work", "seconds"], ascending=False)["implementation"]
    return [str(name) for name in order]
