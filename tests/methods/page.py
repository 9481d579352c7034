"""The tables of docs/method.md, between marks in its text."""

import json
import statistics
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "method.md"
FIGURES = PAGE.parents[1] / "results" / "methods.json"
"""What the first of the tables is made from."""


def tables(figures):
    """Write the figures as Markdown."""
    rows = [
        "| tool | how it judges | pairs | called different | half-width, median | ratio off by, "
        "median and most | seconds for 24 benchmarks |",
        "|---|---|---|---|---|---|---|",
    ]
    for method in figures["methods"]:
        pairs = method["pairs"]
        off = [abs(pair["ratio"] - 1) for pair in pairs]
        if "different" in pairs[0]:
            wrong = sum(pair["different"] for pair in pairs)
            width = percent(statistics.median(pair["half_width"] for pair in pairs))
            called = f"{wrong} ({100 * wrong / len(pairs):.0f} %)"
        else:
            called, width = "cannot say", "none"
        rows.append(
            f"| {method['tool']} {method['version']} | {method['how']} | {len(pairs)} | {called} | "
            f"{width} | {percent(statistics.median(off))}, {percent(max(off))} | "
            f"{method['seconds']:.0f} |"
        )
    by_cell = {}
    for each in figures["agreement"]:
        by_cell.setdefault(each["cell"], []).append(each["ratio"])
    cells = {cell: statistics.median(ratios) for cell, ratios in by_cell.items()}
    off = {cell: abs(ratio - 1) for cell, ratio in cells.items()}
    worst = max(off, key=off.get)
    announced, taken = sum(figures["announced"]), sum(figures["taken"])
    return "\n".join(
        [
            *rows,
            "",
            f"Measured on {figures['date']}: {figures['machine']}. Other programs kept "
            f"{figures['meanwhile']['others']:.2f} CPUs busy.",
            "",
            f"Seconds a call against the plain loop of `tests/methods/independent.py`, median over "
            f"the {len(cells)} cells: {percent(statistics.median(off.values()))} apart; most: "
            f"{percent(off[worst])} (`{worst}`). Announced for forwardbench's passes: "
            f"{announced:.0f} s; taken: {taken:.0f} s.",
        ]
    )


def percent(share):
    """Write a share in percent."""
    return f"{100 * share:.2g} %"


def between_marks(name):
    """Return what the page says before, between and after the marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    between, _, after = rest.partition(end)
    return before + begin, between, end + after


def write_between_marks(name, text):
    """Replace what the page says between the marks of that name."""
    before, _, after = between_marks(name)
    PAGE.write_text(f"{before}{text}\n{after}")


def keep(figures):
    """Keep the figures, and put the tables made from them into the page."""
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    write_between_marks("figures", tables(figures))
