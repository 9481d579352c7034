"""Verdicts in words, and whether a verdict makes a command fail."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forwardbench.verification.verify import Verdict


def verdict_line(verdict: Verdict) -> str:
    """Describe the verdict on one implementation in one line."""
    if verdict.status == "verified":
        result = f"{verdict.checks} checks, errors at most {verdict.share:.0%} of their bounds"
    else:
        result = verdict.reason
    if verdict.checked:
        result += f" (seed {verdict.seed})"
    return f"{verdict.implementation:17}  {verdict.status:11}  {result}"


def is_bad(verdict: Verdict, one_by_one: Container[str]) -> bool:
    """Whether a verdict is a failure; ``unavailable`` is one only if it was given by its name."""
    return verdict.status in ("failed", "rejected") or (
        verdict.status == "unavailable" and verdict.implementation in one_by_one
    )
