"""The tables of docs/method.md, between marks in its text."""

import json
import statistics
from pathlib import Path

from scipy import stats

PAGE = Path(__file__).parents[1] / "docs" / "method.md"
FAIRNESS = PAGE.with_name("fairness.md")
FIGURES = PAGE.parents[1] / "results" / "methods.json"
COMPARISONS = FIGURES.with_name("comparisons.json")
"""What the first of the tables is made from."""


def tables(figures):
    """Write the figures as Markdown."""
    disturbed, off = figures["disturbed"], _apart(figures["agreement"])
    worst = max(off, key=off.get)
    announced, taken = sum(figures["announced"]), sum(figures["taken"])
    return "\n".join(
        [
            *_rows(figures["methods"]),
            "",
            f"Measured on {figures['date']}: {figures['machine']}. Other programs kept "
            f"{figures['meanwhile']['others']:.2f} CPUs busy.",
            "",
            "The same beside neighbours that each want a CPU for 30 of every 100 ms, one for each "
            f"CPU (other programs then kept {disturbed['meanwhile']['others']:.2f} CPUs busy):",
            "",
            *_rows(disturbed["methods"]),
            "",
            "Seconds a call against the plain loop of `studies/children/plain_loop.py`, median "
            f"over the {len(off)} cells: {percent(statistics.median(off.values()))} apart; most: "
            f"{percent(off[worst])} (`{worst}`). Speedups of `matmul` over `python_loops` against "
            f"those of the plain loop: {_ratios_of_ratios(figures['agreement'])}. Announced for "
            f"forwardbench's passes: {announced:.0f} s; taken: {taken:.0f} s.",
        ]
    )


def rows(methods):
    """A table with one row a tool."""
    return "\n".join(_rows(methods))


def _rows(methods):
    """One row a tool."""
    yield (
        "| tool | how it judges | pairs | called different, with 95 % interval | half-width, "
        "median | ratio off by, median and most | off by more than 5 % | seconds |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for method in methods:
        pairs = method["pairs"]
        off = [abs(pair["ratio"] - 1) for pair in pairs]
        called, width = "cannot say", "none"
        if "different" in pairs[0]:
            called = _share(pairs, "different")
            width = percent(statistics.median(pair["half_width"] for pair in pairs))
        if "reported" in pairs[0]:
            called += f"; with its factor of 1.1: {_share(pairs, 'reported')}"
        yield (
            f"| {method['tool']} {method['version']} | {method['how']} | {len(pairs)} | {called} | "
            f"{width} | {percent(statistics.median(off))}, {percent(max(off))} | "
            f"{sum(each > 0.05 for each in off)} | {method['seconds']:.0f} |"
        )


def _share(pairs, verdict):
    """So many of the pairs, in percent, with Wilson's interval."""
    count = sum(pair[verdict] for pair in pairs)
    low, high = stats.binomtest(count, len(pairs)).proportion_ci(method="wilson")
    return f"{count} ({100 * count / len(pairs):.0f} %; {100 * low:.0f} to {100 * high:.0f} %)"


def _medians(agreement):
    """Median over the repetitions of seconds over the plain loop's, by cell."""
    by_cell = {}
    for each in agreement:
        by_cell.setdefault(each["cell"], []).append(each["ratio"])
    return {cell: statistics.median(ratios) for cell, ratios in by_cell.items()}


def _apart(agreement):
    """How far each cell's seconds are from the plain loop's, as a share."""
    return {cell: abs(ratio - 1) for cell, ratio in _medians(agreement).items()}


def _ratios_of_ratios(agreement):
    """What forwardbench makes of a speedup over what the plain loop makes of it, by shape."""
    cells = _medians(agreement)
    shapes = [cell.split()[1] for cell in cells if cell.startswith("matmul ")]
    return ", ".join(
        f"{cells[f'python_loops {shape}'] / cells[f'matmul {shape}'] - 1:+.1%} at `{shape}`"
        for shape in shapes
    )


def table_of_runs(figures):
    """What comparisons made of runs of identical code."""
    lines = [
        "| runs begun | what is compared | called different | ratios off by, median and most | "
        "regressions above 5 %, in both directions |",
        "|---|---|---|---|---|",
    ]
    for each in figures:
        low, high = each["minutes_apart"]
        share = f"{each['different']} of {each['cells']} ({each['different'] / each['cells']:.0%})"
        off = f"{percent(each['off_median'])}, {percent(each['off_most'])}"
        lines.append(
            f"| {low:.0f} to {high:.0f} minutes apart, {each['pairs']} pairs | {each['what']} | "
            f"{share} | {off} | {each['regressions']} |"
        )
    return "\n".join(lines)


def percent(share):
    """Write a share in percent."""
    return f"{100 * share:.2g} %"


def between_marks(name, page=PAGE):
    """Return what a page says before, between and after the marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = page.read_text().partition(begin)
    between, _, after = rest.partition(end)
    return before + begin, between, end + after


def write_between_marks(name, text, page=PAGE):
    """Replace what a page says between the marks of that name."""
    before, _, after = between_marks(name, page)
    page.write_text(f"{before}{text}\n{after}")


def keep(figures):
    """Keep the figures, and put the tables made from them into the page."""
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    write_between_marks("figures", tables(figures))
