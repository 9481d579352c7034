"""The tables of docs/method.md, made from the figures in results/methods.json."""

import json
import statistics
from pathlib import Path

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


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


def write_page(figures, root: Path | None):
    """Return the tables; with a root, put them into docs/method.md and keep the figures."""
    text = tables(figures)
    if root is not None:
        (root / "results" / "methods.json").write_text(json.dumps(figures, indent=1) + "\n")
        page = root / "docs" / "method.md"
        before, _, rest = page.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
    return text
