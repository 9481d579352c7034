"""What came of the visits that a worker made."""

from __future__ import annotations

from dataclasses import dataclass, field

from forwardbench.measure.timing import Visit

VISITED, ANSWER = "visited", "answer"
"""A worker sends the number of each cell that it has visited, and in the end its answer."""


@dataclass
class Outcome:
    """What came of a worker's visits, by the number of the cell in its task."""

    visits: dict[int, list[Visit]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    """Why a result was wrong, or why a time cannot be believed."""
