"""Whether a time is one that this machine can reach."""

from __future__ import annotations

from typing import Any

from forwardbench.analysis.amounts import amount_of
from forwardbench.records import COPIED_BYTES, Status
from forwardbench.results import Ceilings

PLAUSIBLE = 1.5
"""Clocks and libraries vary, so times up to this factor above a measured peak are believed."""


def describe_implausibility(row: dict[str, Any], ceilings: Ceilings) -> str:
    """Say how far a time exceeds the machine's measured peaks; empty if it does not.

    Nothing computes faster than the best matrix product, and nothing reads arrays that are larger
    than the caches faster than memory can move them.
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
