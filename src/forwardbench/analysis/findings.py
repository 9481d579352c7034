"""What a table says, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.computed import summary_of
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
    either,
    lead_words,
    reach_words,
    size_word,
)
from forwardbench.records import Status
from forwardbench.results import HOST
from forwardbench.units import format_interval, format_percent, format_ratio, format_seconds


def settings(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The parts of a table that differ in sweep, dtype, threads or machine, in its order."""
    for _, rows in table.groupby(SETTING, sort=False):
        yield rows


def name_setting(table: pd.DataFrame) -> str:
    """Name dtype and threads of one setting, and its machine where there are several."""
    host = hosts(table)
    return f"{host[0]}: {_dtype_and_threads(table)}" if host else _dtype_and_threads(table)


def hosts(table: pd.DataFrame) -> list[str]:
    """What tells the machines of a table apart; empty where it is of one run only."""
    return [str(host) for host in table[HOST].unique() if host]


def _dtype_and_threads(table: pd.DataFrame) -> str:
    threads = int(table["threads"].iloc[0])
    return f"{table['dtype'].iloc[0]}, {'1 thread' if threads == 1 else f'{threads} threads'}"


def about(table: pd.DataFrame) -> str:
    """Name the sweep and what is constant over it."""
    name = str(table["sweep"].iloc[0])
    summary = summary_of(str(table["workload"].iloc[0]), name)
    activations = " and ".join(table["activation"].unique())
    return f"{name}: {summary}; {activations}"


def caption(table: pd.DataFrame) -> str:
    """CPU, BLAS, threads, dtype, passes and commit, in one line; of each machine."""
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
    """Describe each machine, those that are alike together."""
    named: dict[str, list[str]] = {}
    for host, machine in table[[HOST, "machine"]].drop_duplicates().to_numpy():
        named.setdefault(str(machine).removeprefix(f"{host}: "), []).append(host)
    return "; ".join(
        f"{', '.join(names)}: {machine}" if all(names) else machine
        for machine, names in named.items()
    )


def _first_setting(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The setting that a title is about, and the words that say which, if there are several."""
    rows = list(settings(table))
    return rows[0], f"{name_setting(rows[0])}: " if len(rows) > 1 else ""


def finding(table: pd.DataFrame, evidence: Evidence) -> str:
    """Say how much faster the fastest is than the baseline, on the largest case that shows it.

    Only what was measured, and is plausible, counts. Of several settings it is about the first.
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
    there = rivals[rivals["size"] == rivals["size"].max()]
    best = there.loc[there["speedup"].idxmax()]
    same = verdicts(table)[best.name] == NO_DIFFERENCE
    compared = _compare(best, baseline, same)
    ties = "" if same else _ties(table, evidence, best)
    return f"{compared} ({_certainty(best)}){ties}{_crossing(table, evidence, best)}"


def _ties(table: pd.DataFrame, evidence: Evidence, best: pd.Series[Any]) -> str:
    """Who is not shown to be slower than the best on the same case."""
    here = table[(table["case"] == best["case"]) & (table["activation"] == best["activation"])]
    winning = winners(here, evidence)
    names = [name for winner in winning for name in winner.ties if name != best["baseline"]]
    return f", with no difference to {' and '.join(names)} shown" if names else ""


def _compare(best: pd.Series[Any], baseline: str, same: bool) -> str:
    name, case = best["implementation"], best["case"]
    if same:
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
        low, high = 1 / high, 1 / low  # as the sentence turns the ratio round
    interval = format_interval(low, high)
    passes = f", {best['passes']} passes" if best["passes"] > 1 else ""
    return f"{interval_word(best['passes'])} {interval}{passes}"


def interval_word(passes: int) -> str:
    """What an interval is called; of a single pass it is the timing tool's own."""
    return "95 % interval" if passes > 1 else "interval of one run's samples"


def _crossing(table: pd.DataFrame, evidence: Evidence, best: pd.Series[Any]) -> str:
    if best["speedup"] < 1:
        return ""
    baseline = best["baseline"]
    found = reach(table, evidence, best["implementation"], baseline)
    if found.kind != "from" or found.crossover is None:
        return ""
    return f"; faster {reach_words(found, size_word(table))}"


def baseline_of(table: pd.DataFrame) -> str:
    """Name the implementation that the table's speedups are relative to."""
    own = table[~is_control(table)]
    return str((own if len(own) else table)["baseline"].iloc[0])


def fastest(table: pd.DataFrame, evidence: Evidence) -> str:
    """Say who is fastest, and from which size."""
    table, which = _first_setting(table)
    found = winners(table, evidence)
    if not found:
        return f"{which}Nothing was measured"
    if not size_axis(table):
        return f"{which}Fastest: {_fastest_by_case(found)}"
    parts = leads(table, evidence)
    if len(parts) == 1:
        return f"{which}Fastest at every size: {either(parts[0].names)}"
    spans = lead_words(parts, changes_of_lead(table, evidence), size_word(table))
    return f"{which}Fastest: {', '.join(spans)}"


def _fastest_by_case(found: list[Winner]) -> str:
    """Who is fastest on which of a few cases; many are counted."""
    cases: dict[str, list[str]] = {}
    for each in found:
        cases.setdefault(either(sorted((each.best, *each.ties))), []).append(each.case)
    parts = [
        f"{who} at {' and '.join(on) if len(on) <= 3 else f'{len(on)} cases'}"
        for who, on in cases.items()
    ]
    return ", ".join(parts[:4]) + (", ..." if len(parts) > 4 else "")


def cheapest(table: pd.DataFrame) -> str:
    """Say what a multiply-add costs the baseline, and what it costs who does most of them."""
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
    """Say between which ratios everything lies."""
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
    """Say how far apart identical code came out; empty without controls."""
    floors = [noise_floor(rows) for rows in settings(table)]
    known = [floor for floor in floors if floor == floor]
    if not known:
        return ""
    return (
        "Noise floor: of ratios of identical code, 95 % are expected within "
        f"{(max(known) - 1) * 100:.2g} % of 1x."
    )


def troubles(table: pd.DataFrame) -> list[str]:
    """One line for each implementation with cells that have no time, or none to be believed.

    What was left out for its length alone is no trouble, unless nothing else is left of it.
    """
    own = table[~is_control(table)]
    own = own.assign(what=own["status"].mask(is_doubted(own), "not credible"))
    missing = own["status"].isin([Status.FAILED, Status.REJECTED, Status.UNAVAILABLE])
    absent = own.groupby("implementation")["seconds"].transform("count") == 0
    lines = []
    for name, rows in own[missing | is_doubted(own) | absent].groupby("implementation", sort=False):
        first = rows.iloc[0]
        count = f"{len(rows)} {'cell' if len(rows) == 1 else 'cells'} {first['what']}"
        reason = f": {first['reason']}" if first["reason"] else ""
        lines.append(f"{name}: {count}, first {first['case']}{reason}")
    return lines


def describe_row(row: pd.Series[Any]) -> str:
    """Say in a sentence what was found of one cell; pandas may have merged columns into it."""
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
    """Alternative text of a chart: what kind it is, what it found, and where its ends are."""
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
