"""Whether a time is one that this machine can reach."""

from __future__ import annotations

from typing import Any

from forwardbench.analysis.computed import amount_of
from forwardbench.records import COPIED_BYTES, Status
from forwardbench.results import Ceilings

PLAUSIBLE = 1.5
"""Clocks vary, and so do libraries: so far above a measured peak a result is still believed."""


def too_fast(row: dict[str, Any], ceilings: Ceilings) -> str:
    """Say by how much a time beats the machine's own measured peaks; empty if it does not.

    Nothing computes faster than the best matrix product, and arrays that no cache holds are
    read no faster than memory moves.
    """
    if row["status"] != Status.MEASURED or (row["dtype"], row["threads"]) not in ceilings:
        return ""
    gflops, bytes_per_second = ceilings[row["dtype"], row["threads"]]
    if row["gflops"] > PLAUSIBLE * gflops:
        return f"implausible: {row['gflops']:,.0f} GFLOP/s where this machine reached {gflops:,.0f}"
    amount = amount_of(row["workload"], row["case"], row["dtype"])
    size = amount.bytes
    if (
        amount.is_known
        and size > COPIED_BYTES
        and size / row["seconds"] > PLAUSIBLE * bytes_per_second
    ):
        return (
            f"implausible: {size / row['seconds'] / 1e9:,.0f} GB/s where this machine moved "
            f"{bytes_per_second / 1e9:,.0f}"
        )
    return ""
