"""What a workload computes on a case, and what grows along a sweep."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from forwardbench.cases import SWEEPS, parse_case


class Amount(NamedTuple):
    """How much one call computes."""

    outputs: int
    """Activations."""
    multiply_adds: int
    bytes: int
    """Size of inputs, weights and activations."""
    batch: int
    inputs: int


@cache
def amount_of(workload: str, case: str, dtype: str = "float64") -> Amount:
    """How much one call computes; ``case`` is in the notation of cases."""
    parsed = parse_case(case, dtype=dtype)
    return Amount(
        parsed.outputs, parsed.multiply_adds, parsed.bytes, parsed.batch, parsed.widths[0]
    )


def axis_of(workload: str, sweep: str) -> str:
    """Name what grows along a sweep: `batch` or `inputs`; empty where nothing does."""
    return SWEEPS[sweep].axis if sweep in SWEEPS else ""


def summary_of(workload: str, sweep: str) -> str:
    """Describe a sweep in one line."""
    return SWEEPS[sweep].summary if sweep in SWEEPS else "cases given one by one"
