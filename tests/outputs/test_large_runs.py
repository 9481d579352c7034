"""Runs with thousands of cells: tables, charts and the page show some and say where all are.

Judged by counts of rows, marks, bytes and calls, never by time.
"""

import re
from collections import Counter

import pytest
from rich.console import Console

from builders import large_runs
from forwardbench import records
from forwardbench.analysis import crossovers, selection, table
from forwardbench.commands.main import main
from forwardbench.commands.shared import terminal
from forwardbench.outputs import bundle, pictures, report

WORDS = re.compile(r"([\d,]+) of ([\d,]+) cells are shown: [^.]*\. All are in table\.csv")


def count_calls(monkeypatch, module, *names):
    """Count calls of functions of a module, by name."""
    calls: Counter[str] = Counter()
    for name in names:
        monkeypatch.setattr(module, name, counting(calls, name, getattr(module, name)))
    return calls


def counting(calls, name, original):
    """The function, counting its calls under a name."""

    def counted(*values, **options):
        calls[name] += 1
        return original(*values, **options)

    return counted


@pytest.fixture
def small_limits(monkeypatch):
    """Limits so small that a few cells are a large run."""
    limits = {"LARGE": 40, "MOST_CHARTED": 20, "MOST_SETTINGS": 2, "MOST_NAMES": 3}
    for name, value in limits.items():
        monkeypatch.setattr(selection, name, value)
    monkeypatch.setattr(terminal, "MOST_PRINTED", 30)


@pytest.fixture
def six_rungs(tmp_path):
    """Six implementations on five sizes in four settings: 140 cells."""
    return large_runs.many_settings(
        tmp_path / "run", implementations=6, sizes=5, threads=(1, 2), passes=2
    )


def test_a_cell_is_read_once_for_all_passes(six_rungs, monkeypatch):
    """Not again in each pass: checking what a file says of a cell takes longer than all else."""
    calls: Counter[str] = Counter()
    reader = counting(calls, "cells", records.Cell.from_json)
    monkeypatch.setattr(records.Cell, "from_json", reader)
    assert len(bundle.load(six_rungs).results.cells) == 140
    assert calls == {"cells": 140}


def test_intervals_are_computed_for_all_cells_at_once(six_rungs, monkeypatch):
    """One call for the times and one for the speedups, however many cells there are."""
    calls = count_calls(monkeypatch, table, "log_intervals")
    assert len(bundle.load(six_rungs).table) == 140
    assert calls == {"log_intervals": 2}


def test_winners_and_reaches_take_few_calls(six_rungs, monkeypatch):
    """One call for all ties of a setting, and one for a pair that never crosses."""
    whole = bundle.load(six_rungs)
    rows = whole.table[(whole.table["threads"] == 1) & (whole.table["dtype"] == "float64")]
    whole.evidence  # noqa: B018 (made before anything is counted)
    calls = count_calls(monkeypatch, crossovers, "log_intervals", "paired_ratios")
    assert len(crossovers.winners(rows, whole.evidence)) == 5
    assert calls == {"log_intervals": 1}
    crossovers.reach(rows, whole.evidence, "rung_05", "rung_04")
    assert calls == {"log_intervals": 2, "paired_ratios": 1}


def test_the_terminal_shows_some_cells_and_says_so(small_limits, six_rungs):
    """The words count the cells of all settings and what failed among those left out."""
    whole = bundle.load(six_rungs)
    for show, count in ((terminal.print_cells, 30), (terminal.print_summary, None)):
        console = Console(width=100, highlight=False)
        with console.capture() as capture:
            show(whole.table, whole.evidence, console)
        text = capture.get()
        found = WORDS.search(" ".join(text.split()))
        assert found
        assert found[2] == "140"
        if count:
            assert found[1] == str(count)
            lines = re.findall(
                r"^\S* +(?:python_loops|rung_\d+)(?: \(control\))? +(?:~?[\d.]+ |failed|rejected)",
                text,
                re.MULTILINE,
            )
            assert len(lines) == count


def test_charts_show_some_cells_and_say_so(small_limits, six_rungs):
    """Each chart draws only the grid, and its notes count what it left out."""
    whole = bundle.load(six_rungs)
    shown = whole.table.loc[whole.charted]
    own = shown[shown["control_of"] == ""]
    assert len(own) == 2 * 3 * 3
    for drawn in pictures.pictures_of(whole):
        written = " ".join(text.get_text() for text in drawn.chart.texts)
        assert WORDS.search(" ".join(written.split())), drawn.entry.name
        rows = shown if drawn.entry.name == "samples" else own
        timed = rows[rows["seconds"].notna()]
        assert len(timed) <= len(drawn.chart.points) <= len(rows), drawn.entry.name


def test_the_page_shows_some_cells_and_says_where_all_are(small_limits, six_rungs):
    """Rows of its table, words above it, and no copy of the data inside."""
    page = report.make_page(bundle.load(six_rungs))
    cells = page[page.index('<table id="cells">') :].split("</table>")[0]
    assert cells.count('<tr data-series="') == 40
    assert len(WORDS.findall(" ".join(page.split()))) == 6  # the table and five charts
    assert "Some of the cells" in page
    assert "Every cell</h2>" not in page
    assert "data:text/plain" not in page
    assert "table.csv lies beside this page" in page
    assert "samples.csv (every cell&#39;s time in every pass) with --format samples-csv" in page


def test_many_left_out_cells_are_counted(small_limits, six_rungs, monkeypatch):
    """A line names so many cases, the table has so many lines, and words count the others."""
    monkeypatch.setattr(report, "_MOST_NAMED", 2)
    monkeypatch.setattr(report, "_MOST_LINES", 1)
    page = report.make_page(bundle.load(six_rungs))
    left_out = " ".join(page[page.index('id="left-title"') :].split())
    largest = "1028x1028-1028 (float64)"
    assert f'<td>failed</td><td class="words">{largest}, {largest}, and 2 more</td>' in left_out
    assert "<p>And 5 rejected, 4 estimated. All are in table.csv" in left_out


@pytest.mark.slow
@pytest.mark.parametrize("form", [large_runs.many_settings, large_runs.many_shapes])
def test_ten_thousand_cells_have_a_page_that_can_be_opened(form, tmp_path, capsys):
    """Under 5 MB, with a table of a thousand rows; a terminal gets as many."""
    folder = form(tmp_path / "run")
    assert main(["report", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert len(page.encode()) < 5_000_000
    cells = page[page.index('<table id="cells">') :].split("</table>")[0]
    assert cells.count('<tr data-series="') == 1_000
    assert page.count('class="point"') < 5_000
    capsys.readouterr()
    assert main(["show", str(folder)]) == 0
    assert capsys.readouterr().out.count("\n") < 700
