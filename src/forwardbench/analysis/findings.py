"""Describe a table in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from forwardbench.analysis.amounts import summary_of
from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.crossovers import (
    Winner,
    changes_of_lead,
    leads,
    reach,
    winners,
)
from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.noise import NO_DIFFERENCE, noise_floor, verdicts
from forwardbench.analysis.rows import (
    is_control,
    is_credible,
    is_doubted,
    size_axis,
    sizes,
    work,
)
from forwardbench.analysis.size_findings import (
    join_tied_names,
    lead_words,
    reach_words,
    size_word,
)
from forwardbench.records import Status
from forwardbench.results import HOST
from forwardbench.units import format_interval, format_percent, format_ratio, format_seconds

MOST_PROBLEMS = 20
"""Most implementations of which it is said what went wrong."""


def settings(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the parts of a table for each sweep, dtype, threads and machine, in its order."""
    for _, rows in table.groupby(SETTING, sort=False):
        yield rows


def name_setting(table: pd.DataFrame) -> str:
    """Name dtype and threads of one setting, and the machine if there are several."""
    host = hosts(table)
    return f"{host[0]}: {_dtype_and_threads(table)}" if host else _dtype_and_threads(table)


def hosts(table: pd.DataFrame) -> list[str]:
    """The names of a table's machines; empty if it is of one run only."""
    return [str(host) for host in table[HOST].unique() if host]


def _dtype_and_threads(table: pd.DataFrame) -> str:
    threads = int(table["threads"].iloc[0])
    return f"{table['dtype'].iloc[0]}, {'1 thread' if threads == 1 else f'{threads} threads'}"


def describe_sweep(table: pd.DataFrame) -> str:
    """Name and describe a sweep, with its activations."""
    name = str(table["sweep"].iloc[0])
    summary = summary_of(str(table["workload"].iloc[0]), name)
    activations = " and ".join(table["activation"].unique())
    return f"{name}: {summary}; {activations}"


def caption(table: pd.DataFrame) -> str:
    """CPU, BLAS, threads, dtype, passes and commit, in one line, for all machines."""
    passes = int(table["passes"].max())
    commits = ", ".join(commit for commit in table["commit"].unique() if commit)
    parts = [
        _machines(table) or "machine not recorded",
        "; ".join(dict.fromkeys(_dtype_and_threads(rows) for rows in settings(table))),
        "1 pass" if passes == 1 else f"{passes} passes",
        f"commit {commits}" if commits else "",
    ]
    return "  |  ".join(part for part in parts if part)


def _machines(table: pd.DataFrame) -> str:
    """Describe the machines; equal ones share one description."""
    hosts_by_machine: dict[str, list[str]] = {}
    for host, machine in table[[HOST, "machine"]].drop_duplicates().to_numpy():
        name = str(machine).removeprefix(f"{host}: ")
        hosts_by_machine.setdefault(name, []).append(host)
    return "; ".join(
        f"{', '.join(names)}: {machine}" if all(names) else machine
        for machine, names in hosts_by_machine.items()
    )


def _first_setting(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The setting that a title describes, and its name as a prefix if there are several."""
    rows = list(settings(table))
    return rows[0], f"{name_setting(rows[0])}: " if len(rows) > 1 else ""


def finding(table: pd.DataFrame, evidence: Evidence) -> str:
    """Say how much faster the fastest is than the baseline, on the largest case with a speedup.

    Only measured and credible times count. With several settings it describes the first.
    """
    table, which = _first_setting(table)
    return which + _finding(table, evidence)


def _finding(table: pd.DataFrame, evidence: Evidence) -> str:
    baseline = baseline_of(table)
    credible = table[is_credible(table) & ~is_control(table)]
    rivals = credible[credible["implementation"] != baseline]
    if credible.empty:
        return "Nothing was measured"
    if rivals.empty:
        return f"Nothing was measured beside {baseline}"
    rivals = rivals[rivals["speedup"].notna()]
    if rivals.empty:
        return f"{baseline} was not measured where others were: choose another --baseline"
    rivals = rivals.assign(size=sizes(rivals))
    largest = rivals[rivals["size"] == rivals["size"].max()]
    best = largest.loc[largest["speedup"].idxmax()]
    undecided = verdicts(table)[best.name] == NO_DIFFERENCE
    comparison = _compare(best, baseline, undecided)
    ties = "" if undecided else _ties(table, evidence, best)
    return f"{comparison} ({_certainty(best)}){ties}{_crossing(table, evidence, best)}"


def _ties(table: pd.DataFrame, evidence: Evidence, best: pd.Series[Any]) -> str:
    """Name the implementations that are not shown to be slower than the best on its case."""
    rows = table[(table["case"] == best["case"]) & (table["activation"] == best["activation"])]
    names = [
        name
        for winner in winners(rows, evidence)
        for name in winner.ties
        if name != best["baseline"]
    ]
    return f", with no difference to {' and '.join(names)} shown" if names else ""


def _compare(best: pd.Series[Any], baseline: str, undecided: bool) -> str:
    name, case = best["implementation"], best["case"]
    if undecided:
        return f"No difference shown between {name} and {baseline} at {case}"
    ratio = format_ratio(max(best["speedup"], 1 / best["speedup"]))[:-1]
    if best["speedup"] > 1:
        return f"{name} is {ratio} times faster than {baseline} at {case}"
    return f"Nothing beats {baseline} at {case}: {name} takes {ratio} times as long"


def _certainty(best: pd.Series[Any]) -> str:
    if pd.isna(best["speedup_low"]):
        return "one pass, so no interval"
    low, high = best["speedup_low"], best["speedup_high"]
    if best["speedup"] < 1:
        low, high = 1 / high, 1 / low  # because the sentence gives the inverse ratio
    interval = format_interval(low, high)
    passes = f", {best['passes']} passes" if best["passes"] > 1 else ""
    return f"{interval_word(best['passes'])} {interval}{passes}"


def interval_word(passes: int) -> str:
    """The name of an interval; with a single pass it is the timing tool's own."""
    return "95 % interval" if passes > 1 else "interval of one run's samples"


def _crossing(table: pd.DataFrame, evidence: Evidence, best: pd.Series[Any]) -> str:
    if best["speedup"] < 1:
        return ""
    baseline = best["baseline"]
    faster = reach(table, evidence, best["implementation"], baseline)
    if faster.kind != "from" or faster.crossover is None:
        return ""
    return f"; faster {reach_words(faster, size_word(table))}"


def baseline_of(table: pd.DataFrame) -> str:
    """Name the implementation that the table's speedups are relative to."""
    rows = table[~is_control(table)]
    return str((rows if len(rows) else table)["baseline"].iloc[0])


def fastest(table: pd.DataFrame, evidence: Evidence) -> str:
    """Say who is fastest, and from which size."""
    table, which = _first_setting(table)
    winning = winners(table, evidence)
    if not winning:
        return f"{which}Nothing was measured"
    if not size_axis(table):
        return f"{which}Fastest: {_fastest_by_case(winning)}"
    parts = leads(table, evidence)
    if len(parts) == 1:
        return f"{which}Fastest at every size: {join_tied_names(parts[0].names)}"
    spans = lead_words(parts, changes_of_lead(table, evidence), size_word(table))
    return f"{which}Fastest: {', '.join(spans)}"


def _fastest_by_case(winning: list[Winner]) -> str:
    """Say which implementation is fastest on which cases; more than three are only counted."""
    cases_by_names: dict[str, list[str]] = {}
    for winner in winning:
        names = join_tied_names(sorted((winner.best, *winner.ties)))
        cases_by_names.setdefault(names, []).append(winner.case)
    parts = [
        f"{names} at {' and '.join(cases) if len(cases) <= 3 else f'{len(cases)} cases'}"
        for names, cases in cases_by_names.items()
    ]
    return ", ".join(parts[:4]) + (", ..." if len(parts) > 4 else "")


def cheapest(table: pd.DataFrame) -> str:
    """Say where a multiply-add is cheapest, and what it costs the baseline at its largest case."""
    table, which = _first_setting(table)
    rows = table[is_credible(table) & ~is_control(table)]
    if rows.empty:
        return f"{which}Nothing was measured"
    rows = rows.assign(work=work(rows))
    rows = rows.assign(cost=rows["seconds"] / rows["work"])
    best = rows.sort_values("cost", kind="stable").iloc[0]
    parts = [f"{format_seconds(best['cost'])} in {best['implementation']} at {best['case']}"]
    baseline = rows[rows["implementation"] == baseline_of(table)].sort_values("work")
    if len(baseline) and best["implementation"] != baseline_of(table):
        last = baseline.iloc[-1]
        parts.append(f"{format_seconds(last['cost'])} in {baseline_of(table)} at {last['case']}")
    return f"{which}A multiply-add takes {', '.join(parts)}"


def sureness(table: pd.DataFrame) -> str:
    """Say how wide the intervals of the times are."""
    table, which = _first_setting(table)
    rows = table[is_credible(table) & ~is_control(table)]
    widths = _half_widths(rows).dropna()
    if widths.empty:
        return f"{which}One pass, so nothing is known of how sure these times are"
    widest = rows.loc[widths.sort_values(kind="stable").index[-1]]
    return (
        f"{which}Half of all times are known to {format_percent(widths.median())}, the worst to "
        f"{format_percent(widths.max())} ({widest['implementation']} at {widest['case']})"
    )


def _half_widths(rows: pd.DataFrame) -> pd.Series[float]:
    """Half the width of each time's interval, as a share of the time."""
    return (rows["seconds_high"] - rows["seconds_low"]) / 2 / rows["seconds"]


def overview(table: pd.DataFrame, evidence: Evidence) -> str:
    """Give the smallest and the largest speedup."""
    table, which = _first_setting(table)
    rows = table[is_credible(table) & ~is_control(table) & table["speedup"].notna()]
    rows = rows[rows["implementation"] != rows["baseline"]]
    if rows.empty:
        return which + _finding(table, evidence)
    rows = rows.sort_values("speedup", kind="stable")
    worst, best = rows.iloc[0], rows.iloc[-1]
    return (
        f"{which}From {format_ratio(worst['speedup'])} ({worst['implementation']} at "
        f"{worst['case']}) to {format_ratio(best['speedup'])} ({best['implementation']} at "
        f"{best['case']})"
    )


def noise_sentence(table: pd.DataFrame) -> str:
    """Give the noise floor, the largest one of all settings; empty without controls."""
    floors = [noise_floor(rows) for rows in settings(table)]
    known = [floor for floor in floors if floor == floor]
    if not known:
        return ""
    return (
        "Noise floor: of ratios of identical code, 95 % are expected within "
        f"{(max(known) - 1) * 100:.2g} % of 1x."
    )


def problems(table: pd.DataFrame) -> list[str]:
    """One line for each implementation with cells that have no time or no credible one.

    Cells that were skipped because they take too long are no problem, except where the
    implementation has no time at all. Beyond `MOST_PROBLEMS` implementations are only counted.
    """
    rows = table[~is_control(table)]
    rows = rows.assign(problem=rows["status"].mask(is_doubted(rows), "not credible"))
    missing = rows["status"].isin([Status.FAILED, Status.REJECTED, Status.UNAVAILABLE])
    never_timed = rows.groupby("implementation")["seconds"].transform("count") == 0
    bad = rows[missing | is_doubted(rows) | never_timed]
    lines = []
    groups = list(bad.groupby("implementation", sort=False))
    for name, cells in groups[:MOST_PROBLEMS]:
        first = cells.iloc[0]
        count = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} {first['problem']}"
        reason = f": {first['reason']}" if first["reason"] else ""
        lines.append(f"{name}: {count}, first {first['case']}{reason}")
    others = groups[MOST_PROBLEMS:]
    if others:
        count = f"{sum(len(cells) for _, cells in others):,} cells"
        lines.append(f"{len(others)} more implementations: {count} with no time or none credible")
    return lines


def describe_row(row: pd.Series[Any]) -> str:
    """Describe one cell in a sentence; the row may have more columns than the table."""
    parts = [f"{row['implementation']} at {row['case']}"]
    if row["status"] == Status.ESTIMATED:
        parts.append(f"estimated {format_seconds(row['seconds'])}, never measured")
    else:
        parts.append(format_seconds(row["seconds"]))
        if pd.notna(row["seconds_low"]):
            low, high = format_seconds(row["seconds_low"]), format_seconds(row["seconds_high"])
            parts.append(f"{interval_word(row['passes'])} {low} to {high}")
    if pd.notna(row["speedup"]) and row["implementation"] != row["baseline"]:
        ratio = f"{format_ratio(row['speedup'])} the speed of {row['baseline']}"
        interval = format_interval(row["speedup_low"], row["speedup_high"])
        parts.append(f"{ratio} ({interval})" if interval else ratio)
    if row["status"] == Status.MEASURED and row["reason"]:
        parts.append(str(row["reason"]))
    return ", ".join(parts)


def describe(table: pd.DataFrame, what: str, title: str, form: str = "") -> str:
    """Alternative text of a chart: its kind, its finding, and the speedups at both ends."""
    first, _ = _first_setting(table)
    shown = [
        f"{name}: {_ends(rows)}"
        for name, rows in first[~is_control(first)].groupby("implementation", sort=False)
        if rows["speedup"].notna().any()
    ]
    sweep = table["sweep"].iloc[0]
    form = form or ("Line chart" if size_axis(table) else "Point chart")
    return (
        f"{form} of {what} by size in the sweep {sweep}, where "
        f"{title}. Speedups over {baseline_of(table)}: {'; '.join(shown) or 'none'}."
    )


def _ends(rows: pd.DataFrame) -> str:
    known = rows[rows["speedup"].notna()]
    known = known.assign(size=sizes(known)).sort_values("size")
    first, last = known.iloc[0], known.iloc[-1]
    start = f"{format_ratio(first['speedup'])} at {first['case']}"
    return (
        start if len(known) == 1 else f"{start}, {format_ratio(last['speedup'])} at {last['case']}"
    )
