"""Results with everything that is computed from them, for charts, exports and the page."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from forwardbench import results
from forwardbench.analysis.break_even import break_evens
from forwardbench.analysis.evidence import Evidence, gather
from forwardbench.analysis.rows import is_control
from forwardbench.analysis.selection import (
    charted,
    charted_first_calls,
    choice_words,
    first_call_words,
    listed,
)
from forwardbench.analysis.table import summarize
from forwardbench.analysis.warnings import warnings_of
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.results import Results

if TYPE_CHECKING:
    from forwardbench.analysis.comparison import Comparison

Kept = TypeVar("Kept")


@dataclass
class Bundle:
    """Results and everything computed from them; each part is computed on first use."""

    results: Results
    baseline: str | None = None
    """The implementation that speedups are relative to; None for the results' own baseline."""
    run: Path | None = None
    """The run's folder, if it has one that can be resumed."""
    load_commits: Callable[[], Sequence[Results]] = tuple
    """Reads the results of all commits, if there are several."""
    comparison: Comparison | None = None
    """The comparison with other results, if there is one."""
    sides: str = ""
    """What the first and the second results of the comparison are."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per cell: `analysis.columns.COLUMNS`."""
        return summarize(self.results, self.baseline)

    @cached_property
    def evidence(self) -> Evidence:
        """The measurements behind the table's rows."""
        return gather(self.results, self.table)

    @cached_property
    def break_evens(self) -> pd.DataFrame:
        """One row per cell whose first call was timed: `analysis.break_even.COLUMNS`."""
        return break_evens(self.results, self.table, self.evidence)

    @cached_property
    def warnings(self) -> list[str]:
        """Warnings about the figures, each with what to do."""
        return warnings_of(self.results, self.table, self.run)

    @cached_property
    def charted(self) -> list[Hashable]:
        """The rows of the table that charts show: all, unless there are too many."""
        return charted(self.table)

    @cached_property
    def listed(self) -> list[Hashable]:
        """The rows of the table that tables show: all, unless there are too many."""
        return listed(self.table)

    @cached_property
    def history(self) -> pd.DataFrame:
        """The tables of all commits as one, oldest first; empty if there is only one commit."""
        commits = self.load_commits()
        if len(commits) < 2:
            return pd.DataFrame()
        return pd.concat(
            [summarize(commit, self.baseline) for commit in commits], ignore_index=True
        )

    @property
    def intervals(self) -> str:
        """Describes the intervals if they are the timing tool's own; else empty."""
        return self.results.origin.facts.get("intervals", "")

    def keep(self, name: str, make: Callable[[], Kept]) -> Kept:
        """Return what is kept under a name, and make it first if needed, so it is drawn once."""
        if name not in self._kept:
            self._kept[name] = make()
        kept: Kept = self._kept[name]
        return kept


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


# --- parts: the data of one chart -----------------------------------------------------------


@dataclass(frozen=True)
class SweepPart:
    """One sweep of the table."""

    name: str
    rows: pd.DataFrame
    """All rows, from which titles and noise floors are made."""
    shown: pd.DataFrame
    """The rows that the chart shows."""
    evidence: Evidence

    @property
    def table(self) -> pd.DataFrame:
        """The rows of the table that the chart is about."""
        return self.rows

    @property
    def choice(self) -> str:
        """Says which rows are shown; empty if all are."""
        return choice_words(self.rows, self.shown)


@dataclass(frozen=True)
class BreakEvenPart:
    """The first calls of one sweep."""

    name: str
    rows: pd.DataFrame
    """Rows of `Bundle.break_evens`."""
    judged: pd.DataFrame
    """Those that could be compared with the reference."""
    shown: pd.DataFrame
    """Those of them that the chart can show."""
    table: pd.DataFrame
    """The rows of the table that the chart is about."""

    @property
    def choice(self) -> str:
        """Says which rows the chart can show; empty if all."""
        return first_call_words(self.judged, self.shown)


@dataclass(frozen=True)
class HistoryPart:
    """All commits."""

    name: str
    rows: pd.DataFrame
    """Rows of `Bundle.history`."""
    table: pd.DataFrame
    """The rows of the newest commit's table."""
    choice = ""
    """Every commit and every case is shown."""
    intervals: str
    """A description of the intervals, as in `Bundle.intervals`."""


@dataclass(frozen=True)
class ComparisonPart:
    """One sweep of a comparison."""

    name: str
    rows: pd.DataFrame
    """The cells of this sweep that have a ratio."""
    comparison: Comparison
    sides: str
    """What the first and the second results are."""


def sweep_parts(bundle: Bundle) -> Iterator[SweepPart]:
    """Yield every sweep that has times."""
    for name, rows in _by_sweep(bundle.table):
        if rows.loc[~is_control(rows), "seconds"].notna().any():
            shown = rows[rows.index.isin(bundle.charted)]
            yield SweepPart(name, rows, shown, bundle.evidence)


def break_even_parts(bundle: Bundle) -> Iterator[BreakEvenPart]:
    """Yield every sweep with a first call that could be compared."""
    tables = dict(_by_sweep(bundle.table))
    for name, rows in _by_sweep(bundle.break_evens):
        if (rows["verdict"] != "").any():
            judged = rows[rows["verdict"] != ""]
            shown = charted_first_calls(judged, bundle.table)
            yield BreakEvenPart(name, rows, judged, shown, tables[name])


def history_parts(bundle: Bundle) -> Iterator[HistoryPart]:
    """Yield all commits as one part, if there are several."""
    if len(bundle.history):
        yield HistoryPart("commits", bundle.history, bundle.table, bundle.intervals)


def comparison_parts(bundle: Bundle) -> Iterator[ComparisonPart]:
    """Yield every sweep of a comparison that has a ratio."""
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
"""What a chart can declare as ``NEEDS``. Each function yields parts; each part gets one chart."""


def _by_sweep(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a unique name and the rows of each sweep."""
    for (workload, sweep), part in rows.groupby(["workload", "sweep"], sort=False):
        yield (str(sweep) if workload == DEFAULT_WORKLOAD else f"{workload}-{sweep}"), part
