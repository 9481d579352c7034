"""Which cells of a large run are shown, and what is said about the others.

Nobody reads a page, a chart or a terminal with ten thousand cells. A run of up to `LARGE` cells is
shown whole. Of a larger one, charts show a grid of some settings, implementations and cases, and
tables show that grid, the extremes, the ends of each implementation, and cells in between. Pure
functions on the table. `table.csv` always has every cell.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.rows import (
    is_control,
    is_credible,
    is_doubted,
    sizes,
    slowest_first,
)
from forwardbench.records import Status
from forwardbench.results import HOST

LARGE = 1_000
"""Cells of the largest run that is shown whole; the page lists so many cells of a larger one."""
MOST_PRINTED = 500
"""Cells of a large run that a terminal lists."""
MOST_CHARTED = 300
"""Cells of a large run that are in its charts; its sweeps share them."""
MOST_SETTINGS = 3
MOST_NAMES = 9
"""Implementations in a chart of a large run: the baseline, and two panels of others."""
MOST_CASES = 40
FEWEST_CASES = 3
WHERE = "All are in table.csv, which forwardbench export writes."
"""Where the cells are that are not shown."""
_FIRST_CALLS = "All are in break-even.csv, which forwardbench export writes."
_CASE = ["case", "activation"]
_PROBLEMS = (Status.FAILED, Status.REJECTED, Status.UNAVAILABLE)

Item = TypeVar("Item", bound=Hashable)
Labels = list[Hashable]
"""Labels of rows of the table, in its order."""


def is_large(table: pd.DataFrame) -> bool:
    """Whether a run is shown in part only."""
    return len(table) > LARGE


def charted(table: pd.DataFrame) -> Labels:
    """The rows that charts show: all, or of a large run a grid in each sweep."""
    if not is_large(table):
        return list(table.index)
    sweeps = [rows for _, rows in table.groupby(["workload", "sweep"], sort=False)]
    shares = share_out([len(rows) for rows in sweeps], MOST_CHARTED)
    kept = {
        label
        for rows, share in zip(sweeps, shares, strict=True)
        for label in (_grid(rows, share) if len(rows) > share else rows.index)
    }
    return [label for label in table.index if label in kept]


def listed(table: pd.DataFrame, most: int | None = None) -> Labels:
    """The rows that tables show: all, or of a large run ``most`` of them (`LARGE` if None).

    First come the extremes of each setting and the first cell of each problem, then the cells of
    the charts, then the smallest and the largest case of each implementation in each setting, then
    cells in between. Where not all of a kind fit, they are spread evenly.
    """
    most = LARGE if most is None else most
    if not is_large(table):
        return list(table.index)
    ordered = table.assign(size=sizes(table)).sort_values([*SETTING, "size", *_CASE])
    kinds = (_extremes(table), _problems(table), charted(table), _ends(ordered), ordered.index)
    kept: set[Hashable] = set()
    for kind in kinds:
        new = [label for label in dict.fromkeys(kind) if label not in kept]
        kept.update(evenly(new, most - len(kept)))
    return [label for label in table.index if label in kept]


def charted_first_calls(break_evens: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The first calls of one sweep that its chart can show: of a large run some settings and names.

    ``table`` is the run's table.
    """
    if not is_large(table):
        return break_evens
    rows = _only(break_evens, SETTING, _some_settings(break_evens, MOST_SETTINGS))
    names = evenly(sorted(set(rows["implementation"])), MOST_NAMES - 1)
    return rows[rows["implementation"].isin(names)]


def some_first_calls(break_evens: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The first calls that a table lists, and words about the others; empty if it lists all."""
    shown = break_evens.loc[evenly(list(break_evens.index), LARGE)]
    if len(shown) == len(break_evens):
        return shown, ""
    return shown, f"{len(shown):,} of {len(break_evens):,} first calls are shown. {_FIRST_CALLS}"


def first_call_words(break_evens: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Say which first calls a chart can show; empty if it is all of them."""
    if len(shown) == len(break_evens):
        return ""
    settings = _count(shown, break_evens, SETTING, "setting")
    names = _count(shown, break_evens, ["implementation"], "implementation")
    return f"Shown are {settings} and {names}. {_FIRST_CALLS}"


def choice_words(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Say which rows are shown, what is wrong with others, and where these are; empty for all."""
    if len(shown) == len(table):
        return ""
    own, every = (rows[~is_control(rows)] for rows in (shown, table))
    counts = (
        _count(shown, table, SETTING, "setting"),
        _count(own, every, ["implementation"], "implementation"),
        _count(shown, table, _CASE, "case"),
    )
    others = table.drop(shown.index)
    problems = others["status"].mask(is_doubted(others), "not credible").value_counts()
    bad = [
        f"{int(problems[status]):,} {status}"
        for status in (*_PROBLEMS, "not credible")
        if status in problems
    ]
    among = f"; of the others, {' and '.join(bad)}" if bad else ""
    return f"{len(shown):,} of {len(table):,} cells are shown: {', '.join(counts)}{among}. {WHERE}"


def _count(shown: pd.DataFrame, table: pd.DataFrame, columns: list[str], noun: str) -> str:
    """Say how many different values of some columns are shown, and of how many."""
    some, every = (len(rows[columns].drop_duplicates()) for rows in (shown, table))
    number = f"{some:,}" if some == every else f"{some:,} of {every:,}"
    return f"{number} {noun}{'' if every == 1 else 's'}"


def evenly(items: Sequence[Item], most: int, always: Iterable[Item] = ()) -> list[Item]:
    """At most ``most`` items, in their order: those of ``always``, and others spread evenly.

    The first and the last item are among them, if there is room for two beside ``always``.
    """
    if len(items) <= most:
        return list(items)
    kept = set(list(dict.fromkeys(always))[: max(most, 0)])
    for count in range(max(most, 0), most - len(kept), -1):  # some may be there anyway
        places = np.linspace(0, len(items) - 1, count).round().astype(int)
        together = kept | {items[place] for place in places}
        if len(together) <= most:
            break
    else:
        places = np.linspace(0, len(items) - 1, max(most - len(kept), 0)).round().astype(int)
        together = kept | {items[place] for place in places}
    return [item for item in items if item in together]


def share_out(wanted: Sequence[int], total: int) -> list[int]:
    """Divide ``total`` evenly; who wants less than an even share leaves the rest to others."""
    shares = [0] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    for count, number in zip(range(len(wanted), 0, -1), order, strict=True):
        shares[number] = min(wanted[number], total // count)
        total -= shares[number]
    return shares


def _grid(rows: pd.DataFrame, most: int) -> Labels:
    """Some settings, implementations and cases of a sweep: about ``most`` cells, at least one."""
    names = rows.loc[~is_control(rows), "implementation"].nunique()
    settings = min(MOST_SETTINGS, len(rows[SETTING].drop_duplicates()))
    names = min(MOST_NAMES, max(names, 1))
    while settings * names * FEWEST_CASES > most and (settings > 1 or names > 2):
        if settings > 2 or (settings > 1 and names <= 2):
            settings -= 1
        else:
            names -= 1
    rows = _only(rows, SETTING, _some_settings(rows, settings))
    rows = rows.assign(size=sizes(rows))
    kept = _some_names(rows, names)
    own_names = rows["implementation"].where(~is_control(rows), rows["control_of"])
    rows = rows[own_names.isin(kept)]
    cases = min(MOST_CASES, max(FEWEST_CASES, most // (settings * names)))
    return list(_only(rows, _CASE, _some_cases(rows, cases)).index)


def _keys(rows: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    return list(rows[columns].itertuples(index=False, name=None))


def _only(rows: pd.DataFrame, columns: list[str], kept: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """The rows that have one of these values in some columns."""
    chosen = set(kept)
    return rows[[key in chosen for key in _keys(rows, columns)]]


def _some_settings(rows: pd.DataFrame, most: int) -> list[tuple[Any, ...]]:
    """Settings: above all the first and the last number of threads of each dtype and machine."""
    groups = rows[SETTING].drop_duplicates().groupby(["dtype", HOST], sort=False)
    ends = [key for _, group in groups for key in _keys(group.iloc[[0, -1]], SETTING)]
    settings = list(dict.fromkeys(_keys(rows, SETTING)))
    return evenly(settings, most, evenly(list(dict.fromkeys(ends)), most))


def _some_names(rows: pd.DataFrame, most: int) -> list[str]:
    """Implementations: the baseline, those of the extremes, and others from slow to fast."""
    timed = slowest_first(rows)
    names = [*timed, *sorted(set(rows.loc[~is_control(rows), "implementation"]) - set(timed))]
    always = [*rows.loc[~is_control(rows), "baseline"].iloc[:1]]
    always += rows.loc[_extremes(rows)]["implementation"].tolist()
    credible = rows[is_credible(rows) & ~is_control(rows)]
    for size in (credible["size"].min(), credible["size"].max()):  # the fastest at both ends
        at_end = credible[credible["size"] == size].sort_values("seconds")
        always += at_end["implementation"].iloc[:1].tolist()
    return evenly(names, most, [name for name in always if name in set(names)])


def _some_cases(rows: pd.DataFrame, most: int) -> list[tuple[Any, ...]]:
    """Cases: the smallest, the largest, those of the extremes, and others by growing size."""
    ordered = rows.sort_values(["size", *_CASE])
    cases = list(dict.fromkeys(_keys(ordered, _CASE)))
    extremes = dict.fromkeys(_keys(rows.loc[_extremes(rows)], _CASE))
    return evenly(cases, most, [cases[0], cases[-1], *list(extremes)[: most // 3]])


def _extremes(rows: pd.DataFrame) -> Labels:
    """The smallest and the largest credible speedup of each setting."""
    is_rival = rows["speedup"].notna() & (rows["implementation"] != rows["baseline"])
    speedups = rows[is_rival & is_credible(rows) & ~is_control(rows)].groupby(SETTING, sort=False)
    return [*speedups["speedup"].idxmin(), *speedups["speedup"].idxmax()]


def _problems(table: pd.DataFrame) -> Labels:
    """The first cell of each implementation that failed, was rejected, and so on."""
    status = table["status"].mask(is_doubted(table), "not credible")
    bad = table.assign(problem=status)[status.isin([*_PROBLEMS, "not credible"])]
    return list(bad.drop_duplicates(["implementation", "problem"]).index)


def _ends(ordered: pd.DataFrame) -> Iterator[Hashable]:
    """The smallest and the largest case of each implementation in each setting."""
    groups = ordered.groupby([*SETTING, "implementation"], sort=False)
    yield from groups.head(1).index
    yield from groups.tail(1).index
