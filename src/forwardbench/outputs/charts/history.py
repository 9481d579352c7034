"""Did a commit make anything slower? Each time relative to the first commit's, over commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forwardbench.analysis.rows import is_control, is_credible
from forwardbench.outputs.bundle import HistoryPart
from forwardbench.outputs.charts.drawing import style
from forwardbench.outputs.charts.drawing.figure import Chart, Layout, Point, belongs_to, make_grid
from forwardbench.outputs.charts.drawing.view import View
from forwardbench.results import CELL_KEY
from forwardbench.units import format_ratio, format_seconds, format_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = 7
QUESTION = "Did a commit make anything slower?"
HELP = (
    "Down is faster. Each dot is a case, relative to its own time at the first commit that has "
    "it; whiskers are its own interval, not that of the first. The line is their geometric mean "
    "over the cases that every commit has. A machine that changed between two commits moves all of "
    "them alike."
)
NEEDS = "history"
LACKING = (
    "has one commit only: a history needs asv's results of two, as asv run HEAD~1..HEAD makes them"
)


def draw(part: HistoryPart, view: View) -> Chart:
    """Draw the times of several commits, a panel for each implementation."""
    table = _relative(part.rows)
    commits = list(dict.fromkeys(table["commit"]))
    groups = [rows for _, rows in table.groupby("implementation", sort=False)]
    layout = Layout(
        width=max(2.6, 0.32 * len(commits)),
        height=2.2,
        left=0.8,
        right=0.25,
        above=0.35,
        below=0.75,
    )
    machine = str(table["machine"].iloc[0]) if len(table) else ""
    notes = [HELP, f"Intervals: {part.intervals}" if part.intervals else "", machine]
    subtitle = (
        f"every case of {' and '.join(dict.fromkeys(table['sweep']))}, {len(commits)} commits"
    )
    chart, panels = make_grid(len(groups), layout, view, title(part), subtitle, notes)
    ends = table[["change", "change_low", "change_high"]].stack()
    reach = max(float(np.exp(np.abs(np.log(ends)).max())) if len(ends) else 1.0, 1.05) ** 1.1
    for axes, rows in zip(panels, groups, strict=True):
        axes.set_title(style.shortened(str(rows["implementation"].iloc[0])), loc="left", size=9)
        _frame(axes, commits, reach, view)
        _draw_rows(chart, axes, rows, commits, view)
    return chart


def title(part: HistoryPart) -> str:
    """Say how the last commit compares with the first, over all cells that both have."""
    table = _relative(part.rows)
    commits = list(dict.fromkeys(table["commit"]))
    if len(commits) < 2:
        return "One commit only: nothing to compare it with"
    first, last = (table[table["commit"] == commit] for commit in (commits[0], commits[-1]))
    last = last.merge(first[CELL_KEY], on=CELL_KEY)  # new cells have no first time
    if last.empty:
        return f"Nothing was measured both at {commits[0][:8]} and at {commits[-1][:8]}"
    mean = float(np.exp(np.log(last["change"]).mean()))
    worst = last.sort_values("change").iloc[-1]
    return (
        f"At {commits[-1][:8]} times are {mean:.3f} of those at {commits[0][:8]} on average, at "
        f"most {worst['change']:.3f} ({worst['implementation']} at {worst['case']})"
    )


def _relative(table: pd.DataFrame) -> pd.DataFrame:
    """Add each time divided by its cell's time at the first commit that measured it."""
    rows = table[is_credible(table) & ~is_control(table)]
    first = rows.groupby(CELL_KEY)["seconds"].transform("first")
    changes = {f"change{end}": rows[f"seconds{end}"] / first for end in ("", "_low", "_high")}
    return rows.assign(**changes)


def _frame(axes: Axes, commits: list[str], reach: float, view: View) -> None:
    axes.set_yscale("log")
    axes.set_ylim(1 / reach, reach)
    ticks = style.ticks_around_one(reach)
    axes.set_yticks(ticks, [format_tick(tick, format_ratio) for tick in ticks], size=8)
    axes.minorticks_off()
    axes.set_xlim(-0.5, len(commits) - 0.5)
    step = -(-len(commits) // 12)
    shown = [commit[:8] if number % step == 0 else "" for number, commit in enumerate(commits)]
    axes.set_xticks(
        range(len(commits)), shown, size=7, rotation=30, ha="right", rotation_mode="anchor"
    )
    axes.axhline(1, color=view.theme.muted, lw=0.8)


def _draw_rows(
    chart: Chart, axes: Axes, rows: pd.DataFrame, commits: list[str], view: View
) -> None:
    name = str(rows["implementation"].iloc[0])
    cases = list(dict.fromkeys(rows["case"]))
    colour = view.theme.series[0]
    # At each commit the cases stand side by side, in the order of the table.
    offsets = np.linspace(-0.3, 0.3, len(cases)) if len(cases) > 1 else np.zeros(1)
    places = np.array([commits.index(commit) for commit in rows["commit"]], float)
    places += offsets[[cases.index(case) for case in rows["case"]]]
    low, high = (rows[f"change{end}"].fillna(rows["change"]) for end in ("_low", "_high"))
    artists: list[Any] = [axes.vlines(places, low, high, color=colour, lw=1, alpha=0.6)]
    artists += axes.plot(places, rows["change"], "o", color=colour, ms=3)
    common = rows.groupby("case")["commit"].transform("nunique") == len(commits)
    means = np.exp(np.log(rows.loc[common, "change"]).groupby(rows["commit"], sort=False).mean())
    artists += axes.plot(
        [commits.index(str(commit)) for commit in means.index],
        means,
        "-",
        color=view.theme.text,
        lw=1.6,
    )
    belongs_to(name, artists)
    for place, (_, row) in zip(places, rows.iterrows(), strict=True):
        time = f"{name} at {row['case']}, {row['commit']}: {format_seconds(row['seconds'])}"
        change = f"{format_ratio(row['change'])} of the first commit's time"
        chart.points.append(Point(name, f"{time}, {change}", axes, float(place), row["change"]))


def describe(part: HistoryPart, title: str) -> str:
    """Alternative text of the chart with that title."""
    return f"Dot chart of times over commits, where {title}."
