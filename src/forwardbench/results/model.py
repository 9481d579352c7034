"""What every kind of results becomes, before any statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forwardbench.records import DEFAULT_WORKLOAD

if TYPE_CHECKING:
    import pandas as pd

CELL_KEY = ["implementation", "sweep", "case", "activation", "dtype", "threads", "workload"]
"""Columns that together name a cell of one machine. A control has a label of its own, which
``control_of`` explains."""
HOST = "host"
"""The column that tells machines apart; empty where results are of one only."""
Ceilings = Mapping[tuple[str, int], tuple[float, float]]
"""GFLOP/s and bytes per second that a machine reached, by dtype and threads."""
SAMPLE_COLUMNS = [*CELL_KEY[:-1], "pass", "seconds", "error", "low", "high", HOST, "workload"]
"""Columns of `Results.samples`."""
FIRST_CALL_COLUMNS = [*CELL_KEY[:-1], "import_seconds", "seconds", "reason", "workload"]
"""Columns of `Results.first_calls`."""
_UNSAID = ("", DEFAULT_WORKLOAD)
"""What a cell's name leaves out: the only machine, and the usual workload."""


def no_first_calls() -> pd.DataFrame:
    """The first calls of results that have none."""
    import pandas as pd

    return pd.DataFrame(columns=FIRST_CALL_COLUMNS)


@dataclass(frozen=True)
class Results:
    """Everything that was measured or left out."""

    samples: pd.DataFrame
    """One row per cell and pass: `SAMPLE_COLUMNS`. Seconds are those of a call; low and high are
    an interval that the measuring tool gave itself, NaN where it gave none."""
    cells: pd.DataFrame
    """One row per cell: `CELL_KEY`, `HOST`, batch, widths, control_of (the implementation that a
    control repeats), status, reason, and predicted, predicted_low and predicted_high in seconds for
    cells that were never called."""
    baseline: str
    machine: str
    commit: str
    ceilings: Ceilings
    level: float
    """Level that intervals are computed at, so that they hold the true value in 95 %."""
    circumstances: Circumstances
    origin: Origin
    first_calls: pd.DataFrame = field(default_factory=no_first_calls)
    """One row per first call that was timed in a fresh process: `FIRST_CALL_COLUMNS`. One that
    failed has a reason and no seconds."""
    on_gpu: frozenset[str] = frozenset()
    """Names of the implementations that the machine's peaks, which are its CPU's, do not bind."""
    host: str = ""
    """What tells this machine from others beside it; empty where there is none beside it."""
    parts: tuple[Results, ...] = ()
    """The run of each machine, where results are of several."""

    def __post_init__(self) -> None:
        """Refuse two rows of one thing, which a file made by hand may hold."""
        named = [HOST, *CELL_KEY]
        for frame, key in ((self.cells, named), (self.samples, [*named, "pass"])):
            twice = frame[frame.duplicated(key)]
            if len(twice):
                parts = [str(part) for part in twice[key].iloc[0] if part not in _UNSAID]
                raise ValueError(f"twice the same cell: {'-'.join(parts)}")


@dataclass(frozen=True)
class Origin:
    """Where results come from: what decides whether two of them can be compared."""

    tool: str
    """What timed: `forwardbench` (pytest-benchmark in passes) or `asv`."""
    hardware: str
    """CPU and how many there are; empty where that was not recorded."""
    workload: str
    """The workload's version: times of two versions are not of the same inputs."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known of machine, software and request, in words, by subject."""


@dataclass(frozen=True)
class Circumstances:
    """What may have disturbed a measurement; what is not known is empty or NaN."""

    governor: str = ""
    timer_step: float = float("nan")
    """Smallest step of the timer in seconds."""
    shortest_round: float = float("nan")
    """Seconds of the shortest thing that was timed as one."""
    others: float = float("nan")
    """CPUs that other programs kept busy on average while the passes were made."""
    stolen: float = float("nan")
    """CPUs that the host of a virtual machine gave to somebody else, likewise."""
    busiest: str = ""
    """Name of the process that was busiest in any pass, and how many CPUs it used there."""
    busiest_cpus: float = 0.0
    unenforced: str = ""
    """What could not be enforced of threads and CPUs."""
    lost: Mapping[str, float] = field(default_factory=dict)
    """Share of the time of its rounds in which the CPU did something else, by implementation."""
