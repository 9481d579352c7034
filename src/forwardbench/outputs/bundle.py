"""Everything that can be known of some results, for whatever is drawn or written of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from forwardbench import results
from forwardbench.analysis.break_even import break_evens
from forwardbench.analysis.evidence import Evidence, gather
from forwardbench.analysis.rows import is_control
from forwardbench.analysis.table import summarize
from forwardbench.analysis.warnings import warnings_of
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.results import Results

if TYPE_CHECKING:
    from forwardbench.analysis.comparison import Comparison

Made = TypeVar("Made")


@dataclass
class Bundle:
    """Results and all that is made of them, each when it is first asked for."""

    results: Results
    baseline: str | None = None
    """What speedups are relative to; None for the results' own."""
    run: Path | None = None
    """The run's folder, if it has one that can be resumed."""
    load_commits: Callable[[], Sequence[Results]] = tuple
    """Reads the results of every commit, where there are several."""
    comparison: Comparison | None = None
    """How these results differ from others, where they were compared with some."""
    sides: str = ""
    """What the first and the second are that were compared."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per cell: `analysis.columns.COLUMNS`."""
        return summarize(self.results, self.baseline)

    @cached_property
    def evidence(self) -> Evidence:
        """What lies behind the table's rows."""
        return gather(self.results, self.table)

    @cached_property
    def break_evens(self) -> pd.DataFrame:
        """One row per cell whose first call was timed: `analysis.break_even.COLUMNS`."""
        return break_evens(self.results, self.table, self.evidence)

    @cached_property
    def warnings(self) -> list[str]:
        """What speaks against the figures, each with what to do about it."""
        return warnings_of(self.results, self.table, self.run)

    @cached_property
    def history(self) -> pd.DataFrame:
        """The tables of several commits as one, oldest first; empty where there is one only."""
        commits = self.load_commits()
        if len(commits) < 2:
            return pd.DataFrame()
        return pd.concat([summarize(each, self.baseline) for each in commits], ignore_index=True)

    @property
    def intervals(self) -> str:
        """What intervals are, where they are the timing tool's own; else empty."""
        return self.results.origin.facts.get("intervals", "")

    def keep(self, name: str, make: Callable[[], Made]) -> Made:
        """What was made under a name, so that nothing is drawn twice."""
        if name not in self._kept:
            self._kept[name] = make()
        made: Made = self._kept[name]
        return made


def load(source: str | Path, baseline: str | None = None) -> Bundle:
    """Read results as `results.load` does; raises `UserError`."""
    path, commit = results.split_commit(source)
    loaded = results.load(source)
    several = results.holds_commits(path) and not commit
    return Bundle(
        loaded,
        baseline,
        run=path if (path / "run.json").is_file() else None,
        load_commits=(lambda: results.load_history(source)) if several else tuple,
    )


# --- parts: what one chart is of -----------------------------------------------------------


@dataclass(frozen=True)
class SweepPart:
    """One sweep of the table."""

    name: str
    rows: pd.DataFrame
    evidence: Evidence

    @property
    def table(self) -> pd.DataFrame:
        """The rows of the table that it is about."""
        return self.rows


@dataclass(frozen=True)
class BreakEvenPart:
    """The first calls of one sweep."""

    name: str
    rows: pd.DataFrame
    """Of `Bundle.break_evens`."""
    table: pd.DataFrame
    """The rows of the table that it is about."""


@dataclass(frozen=True)
class HistoryPart:
    """All commits."""

    name: str
    rows: pd.DataFrame
    """Of `Bundle.history`."""
    table: pd.DataFrame
    """The rows of the newest commit's table."""
    intervals: str
    """What the intervals are."""


@dataclass(frozen=True)
class ComparisonPart:
    """One sweep of a comparison."""

    name: str
    rows: pd.DataFrame
    """The cells of the comparison that it is about: those with a ratio."""
    comparison: Comparison
    sides: str
    """What the first and the second are."""


def sweep_parts(bundle: Bundle) -> Iterator[SweepPart]:
    """Every sweep that has times."""
    for name, rows in _by_sweep(bundle.table):
        if rows.loc[~is_control(rows), "seconds"].notna().any():
            yield SweepPart(name, rows, bundle.evidence)


def break_even_parts(bundle: Bundle) -> Iterator[BreakEvenPart]:
    """Every sweep with a first call that could be held against something."""
    tables = dict(_by_sweep(bundle.table))
    for name, rows in _by_sweep(bundle.break_evens):
        if (rows["verdict"] != "").any():
            yield BreakEvenPart(name, rows, tables[name])


def history_parts(bundle: Bundle) -> Iterator[HistoryPart]:
    """All commits as one part, where there are several."""
    if len(bundle.history):
        yield HistoryPart("commits", bundle.history, bundle.table, bundle.intervals)


def comparison_parts(bundle: Bundle) -> Iterator[ComparisonPart]:
    """Every sweep of a comparison that has a ratio."""
    if bundle.comparison is None:
        return
    cells = bundle.comparison.cells
    for name, rows in _by_sweep(cells[cells["ratio"].notna()]):
        yield ComparisonPart(name, rows, bundle.comparison, bundle.sides)


PARTS: dict[str, Callable[[Bundle], Iterator[Any]]] = {
    "sweeps": sweep_parts,
    "break-evens": break_even_parts,
    "history": history_parts,
    "comparison": comparison_parts,
}
"""What a chart can declare as ``NEEDS``: each gives the parts of which there is one chart each."""


def _by_sweep(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each sweep, and a name for it that is no other's."""
    for (workload, sweep), part in rows.groupby(["workload", "sweep"], sort=False):
        yield (str(sweep) if workload == DEFAULT_WORKLOAD else f"{workload}-{sweep}"), part
