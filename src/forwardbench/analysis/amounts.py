"""What a workload computes on a case, and what grows along a sweep.

A file may name a workload that is not installed. Its rows are shown too, but without a rate, and
they are sorted by what forward propagation would compute on their cases.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from forwardbench import workloads
from forwardbench.cases import parse_case
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.workloads import Workload


class Amount(NamedTuple):
    """How much one call computes."""

    outputs: int
    """Activations."""
    multiply_adds: int
    bytes: int
    """Size of inputs, weights and activations."""
    batch: int
    inputs: int
    is_known: bool
    """Whether the workload is installed, so that these are its own counts."""


@cache
def amount_of(workload: str, case: str, dtype: str = "float64") -> Amount:
    """How much one call computes; ``case`` is in the notation of cases."""
    parsed = parse_case(case, dtype=dtype)
    known = _find(workload)
    counted = known or workloads.get(DEFAULT_WORKLOAD)
    return Amount(
        counted.outputs(parsed),
        counted.multiply_adds(parsed),
        counted.bytes(parsed),
        parsed.batch,
        parsed.widths[0],
        known is not None,
    )


def axis_of(workload: str, sweep: str) -> str:
    """Name what grows along a sweep: `batch` or `inputs`; empty where nothing does."""
    known = _find(workload)
    return known.axis(sweep) if known else ""


def summary_of(workload: str, sweep: str) -> str:
    """Describe a sweep in one line."""
    known = _find(workload)
    if known is None or sweep not in known.sweeps:
        return "cases given one by one"
    return known.sweeps[sweep].summary


@cache
def _find(workload: str) -> Workload | None:
    """The workload of that name; None where it is not here."""
    return workloads.get(workload) if workload in workloads.names() else None
