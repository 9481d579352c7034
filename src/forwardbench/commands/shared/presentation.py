"""The end of a run: makes its table, charts and report, and says where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pandas import DataFrame

from forwardbench.analysis.rows import is_doubted
from forwardbench.analysis.selection import is_large
from forwardbench.commands.shared import terminal
from forwardbench.commands.shared.exit_status import FAILED, GOOD
from forwardbench.commands.shared.screen import print_line, say
from forwardbench.errors import command_line
from forwardbench.files import check_no_link, without_garbage_collection
from forwardbench.measure.request import Request
from forwardbench.measure.run_options import PASSES
from forwardbench.outputs import bundle as bundles
from forwardbench.outputs import pictures
from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.text import write_kept
from forwardbench.records import Status


def formats_of(request: Request) -> tuple[str, ...]:
    """Formats of the charts that a run makes.

    A quick run makes only SVG, to save time; `forwardbench chart` makes the others.
    """
    return ("svg",) if request.passes < PASSES else ("svg", "png")


def present(path: Path, formats: Sequence[str], *, show: bool) -> int:
    """Make table, charts and report beside the results; print findings, paths and warnings."""
    bundle = bundles.load(path)
    if show:
        console = terminal.make_console()
        terminal.print_summary(bundle.table, bundle.evidence, console)
        terminal.print_break_evens(bundle.break_evens, console)
    files = _write(bundle, path, formats)
    if show:
        print_line(f"Report: {path}/report.html (open it in a browser; it needs no network)")
        print_line(f"Charts: {path}/charts ({len(files)} files)")
        print_line(f"Table:  {path}/table.csv")
        large = is_large(bundle.table)
        cells = "More cells with their intervals" if large else "Every cell with its interval"
        print_line(f"{cells}: {command_line('show', path)}")
    for line in bundle.warnings:
        say(f"Warning: {line}")
    return FAILED if _has_bad_cells(bundle.table) else GOOD


def write_pages(path: Path, formats: Sequence[str]) -> None:
    """Make table, charts and report beside the results, and print nothing; raises `UserError`."""
    _write(bundles.load(path), path, formats)


def _write(bundle: Bundle, path: Path, formats: Sequence[str]) -> list[Path]:
    """Make table, charts and report; returns the files of the charts."""
    charts = check_no_link(path / "charts")
    with without_garbage_collection():
        write_kept(bundle, path)
        drawn = pictures.pictures_of(bundle)
        return pictures.save_all(drawn, charts, formats)


def _has_bad_cells(table: DataFrame) -> bool:
    """Whether a cell failed, was rejected, or has an implausible time."""
    return bool((table["status"].isin([Status.FAILED, Status.REJECTED]) | is_doubted(table)).any())
