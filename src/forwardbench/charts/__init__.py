"""Charts, drawn from the table alone: one file a chart, ``draw(table) -> Figure``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import matplotlib

from forwardbench.analysis import SETTING
from forwardbench.charts import speedup, time
from forwardbench.charts.style import RC

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

KINDS = {"time": time, "speedup": speedup}
"""The catalogue, in teaching order."""
FORMATS = ("svg", "png")


def draw_all(table: pd.DataFrame, folder: Path) -> Iterator[Path]:
    """Draw every kind of chart for every setting of the table, and yield each file written."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = list(table.groupby(SETTING, sort=False))
    for (sweep, dtype, threads), rows in settings:
        # Names stay short while there is one dtype and one thread count.
        suffix = f"-{dtype}" if table["dtype"].nunique() > 1 else ""
        suffix += f"-t{threads}" if table["threads"].nunique() > 1 else ""
        if rows["seconds"].isna().all():
            continue
        for kind, chart in KINDS.items():
            with matplotlib.rc_context(RC):
                figure = chart.draw(rows)
                yield from save(figure, folder / f"{kind}-{sweep}{suffix}", chart.describe(rows))


def save(figure: Figure, stem: Path, alternative: str) -> Iterator[Path]:
    """Write a figure as SVG and PNG, with its alternative text inside, and yield the files."""
    for suffix in FORMATS:
        path = stem.with_name(f"{stem.name}.{suffix}")
        if suffix == "svg":
            figure.savefig(path, metadata={"Date": None, "Description": alternative})
            _name_for_screen_readers(path, alternative)
        else:
            figure.savefig(path, dpi=200, metadata={"Description": alternative})
        yield path


def _name_for_screen_readers(path: Path, alternative: str) -> None:
    """Give an SVG the role and title that make it one image with a text."""
    head, tag, rest = path.read_text(encoding="utf-8").partition("<svg ")
    attributes, end, body = rest.partition(">")
    title = f"\n <title>{escape(alternative)}</title>"
    path.write_text(f'{head}{tag}role="img" {attributes}{end}{title}{body}', encoding="utf-8")
