"""Whether a time is one that this machine can reach."""

from __future__ import annotations

from typing import Any

from forwardbench.cases import parse_case
from forwardbench.records import COPIED_BYTES
from forwardbench.workloads.forward import count_bytes

IMPLAUSIBLE = "implausible"
"""First word of the reason of a row that was measured and is not believed."""


PLAUSIBLE = 1.5
"""Clocks vary, and so do libraries: so far above a measured peak a result is still believed."""


def implausible(row: dict[str, Any], ceilings: dict[tuple[str, int], tuple[float, float]]) -> str:
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
    size = count_bytes(parse_case(row["case"], dtype=row["dtype"]))
    if size > COPIED_BYTES and size / row["seconds"] > PLAUSIBLE * bytes_per_second:
        claim = f"{size / row['seconds'] / 1e9:,.0f} GB/s where this machine moved"
        return f"{IMPLAUSIBLE}: {claim} {bytes_per_second / 1e9:,.0f}"
    return ""
