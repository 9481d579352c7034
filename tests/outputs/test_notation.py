"""What is estimated, undecided or not believed is written alike wherever it is shown."""

import io

import pytest
from rich.console import Console

from builders.charts import draw, texts
from builders.exports import write
from builders.tables import TOO_LONG, Times, make, square
from forwardbench.analysis import notation
from forwardbench.commands.shared import terminal
from forwardbench.outputs.charts import heatmap
from forwardbench.outputs.report.cells import list_rows

CASE = square(64)
PEAK = {("float64", 1): (50.0, 1e12)}


def whole():
    """One case: a baseline, an undecided, an estimated and a doubted time, and a sure one."""
    times: Times = {
        "python_loops": {CASE: [8e-3] * 3},
        "undecided": {CASE: [6e-3, 8e-3, 9e-3]},
        "estimated": {CASE: (*TOO_LONG, 4e-3, 3e-3, 5e-3)},
        "doubted": {CASE: [1e-9] * 3},
        "sure": {CASE: [2e-3] * 3},
    }
    return make(times, ceilings=PEAK)


def on_a_terminal(show):
    """The words of what the terminal shows."""
    bundle, file = whole(), io.StringIO()
    show(bundle.table, bundle.evidence, Console(file=file, width=200, markup=False))
    return file.getvalue().split()


def in_markdown():
    """The cells of the table in Markdown."""
    return [cell.strip() for cell in write("markdown", whole()).split("|")]


def in_the_heat_map():
    """The texts of the heat map."""
    return texts(draw("heatmap", whole()))


def on_the_page():
    """The texts of the page's table."""
    return [cell.text for row in list_rows(whole().table, []) for cell in row.cells]


PLACES = {
    "terminal, in short": lambda: on_a_terminal(terminal.print_summary),
    "terminal, every cell": lambda: on_a_terminal(terminal.print_cells),
    "Markdown": in_markdown,
    "heat map": in_the_heat_map,
    "page": on_the_page,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_ratio_is_written_alike_everywhere(place):
    """Estimated with a tilde, undecided in brackets, sure as it is."""
    shown = PLACES[place]()
    assert {"~2.00x", "(1.06x)", "4.00x"} <= set(shown)
    assert not {"2.00x", "1.06x", "(4.00x)", "~4.00x", "4.00x?"} & set(shown)


@pytest.mark.parametrize("place", PLACES)
def test_how_it_is_written_is_said_in_one_place(place, monkeypatch):
    """Another notation there is another notation everywhere."""
    monkeypatch.setattr(notation, "estimated", lambda text: f"e{text}" if text else "")
    monkeypatch.setattr(notation, "undecided", lambda text: f"u{text}")
    shown = PLACES[place]()
    assert {"e2.00x", "u1.06x", "4.00x"} <= set(shown)
    assert not {"~2.00x", "(1.06x)"} & set(shown)


@pytest.mark.parametrize("place", ["terminal, every cell", "Markdown", "page"])
def test_an_estimated_time_has_a_tilde_too(place):
    """Wherever times are shown beside ratios."""
    shown = " ".join(PLACES[place]())
    assert "~4.00 ms" in shown
    assert "~2.00 ms" not in shown


def test_a_doubted_ratio_is_marked_in_the_heat_map_which_has_no_room_for_the_reason(monkeypatch):
    """Everywhere else the reason stands beside it."""
    assert notation.doubted("8,000,000x") in in_the_heat_map()
    reason = "implausible: 524,288 GFLOP/s where this machine reached 50"
    assert any(reason in cell for cell in in_markdown())
    assert reason in on_the_page()
    assert reason in " ".join(on_a_terminal(terminal.print_cells))
    monkeypatch.setattr(heatmap, "doubted", lambda text: f"d{text}")
    assert "d8,000,000x" in in_the_heat_map()
