"""The common form of all results, before any statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forwardbench.records import DEFAULT_WORKLOAD

if TYPE_CHECKING:
    import pandas as pd

CELL_KEY = ["implementation", "sweep", "case", "activation", "dtype", "threads", "workload"]
"""Columns that together identify a cell of one machine. A control has its own name in
``implementation``; ``control_of`` names what it repeats."""
HOST = "host"
"""The column that names the machine; empty where all results are of one machine."""
Ceilings = Mapping[tuple[str, int], tuple[float, float]]
"""GFLOP/s and bytes per second that a machine reached, by dtype and threads."""
SAMPLE_COLUMNS = [*CELL_KEY[:-1], "pass", "seconds", "error", "low", "high", HOST, "workload"]
"""Columns of `Results.samples`."""
FIRST_CALL_COLUMNS = [*CELL_KEY[:-1], "import_seconds", "seconds", "reason", "workload"]
"""Columns of `Results.first_calls`."""
_DEFAULTS = ("", DEFAULT_WORKLOAD)
"""Values that an error does not name: of the only machine, and of the default workload."""


def no_first_calls() -> pd.DataFrame:
    """The first calls of results that have none."""
    import pandas as pd

    return pd.DataFrame(columns=FIRST_CALL_COLUMNS)


@dataclass(frozen=True)
class Results:
    """Everything that was measured or left out."""

    samples: pd.DataFrame
    """One row per cell and pass: `SAMPLE_COLUMNS`. Seconds are those of one call; low and
    high are the timing tool's own interval, NaN where it gave none."""
    cells: pd.DataFrame
    """One row per cell: `CELL_KEY`, `HOST`, batch, widths, control_of (the implementation that a
    control repeats), status, reason, and predicted, predicted_low and predicted_high in seconds for
    cells that were never called."""
    baseline: str
    machine: str
    commit: str
    ceilings: Ceilings
    level: float
    """Level that intervals are computed at, chosen so that 95 % of them hold the true value."""
    circumstances: Circumstances
    origin: Origin
    first_calls: pd.DataFrame = field(default_factory=no_first_calls)
    """One row per first call that was timed in a fresh process: `FIRST_CALL_COLUMNS`. A
    failed one has a reason and no seconds."""
    on_gpu: frozenset[str] = frozenset()
    """Names of the implementations that compute on a GPU: the CPU's peaks do not limit them."""
    host: str = ""
    """Name of this machine among several; empty where there is only one."""
    parts: tuple[Results, ...] = ()
    """The results of each machine, where there are several machines."""

    def __post_init__(self) -> None:
        """Refuse duplicate rows, which a file made by hand may hold."""
        cell_key = [HOST, *CELL_KEY]
        for frame, key in ((self.cells, cell_key), (self.samples, [*cell_key, "pass"])):
            repeated = frame[frame.duplicated(key)]
            if len(repeated):
                values = repeated[key].iloc[0]
                name = "-".join(str(value) for value in values if value not in _DEFAULTS)
                raise ValueError(f"twice the same cell: {name}")


@dataclass(frozen=True)
class Origin:
    """Where results come from. This decides whether two of them can be compared."""

    tool: str
    """The timing tool: `forwardbench` (pytest-benchmark in passes) or `asv`."""
    hardware: str
    """CPU model and number of CPUs; empty where they were not recorded."""
    workload: str
    """The workload's version: times of two versions are not of the same inputs."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known about machine, software and request, in words, by subject."""


@dataclass(frozen=True)
class Circumstances:
    """What may have disturbed a measurement. Unknown values are empty or NaN."""

    governor: str = ""
    timer_step: float = float("nan")
    """Smallest step of the timer in seconds."""
    shortest_round: float = float("nan")
    """Seconds of the shortest round: calls that were timed together."""
    others: float = float("nan")
    """CPUs that other programs kept busy, on average over the passes."""
    stolen: float = float("nan")
    """CPUs that the host of a virtual machine gave to others, on average over the passes."""
    busiest: str = ""
    """Name of the other process that used the most CPUs in any pass."""
    busiest_cpus: float = 0.0
    """How many CPUs it used in that pass."""
    unenforced: str = ""
    """Which number of threads or CPUs could not be enforced, in words."""
    lost: Mapping[str, float] = field(default_factory=dict)
    """Share of its rounds' time that other programs took from the CPU, by implementation."""
