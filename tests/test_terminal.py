"""Tables on the terminal, compared with files that hold them as they should look.

After a change that is meant, run with REWRITE_GOLDEN_FILES=1 and read the difference.
"""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from forwardbench import terminal

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def table(make_table, ladder):
    """Measured, estimated, skipped and failed cells."""
    ladder["matmul"]["1024x1024-1024"] = [0.04, 0.041, 0.04]
    ladder["mine"] = {"4x4-4": [1e-6, 1.1e-6, "ValueError: no"], "1x1-1": [2e-6, 2e-6, 2e-6]}
    return make_table(ladder, skipped={("python_loops", "1024x1024-1024"): (32.0, 28.0, 36.0)})


def rendered(show, table, **options):
    """What is printed off a terminal."""
    file = io.StringIO()
    show(table, Console(file=file, width=terminal.WIDTH, highlight=False, markup=False, **options))
    # Rich pads cells to their column's width; a golden file without trailing blanks is legible.
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("name", ["summary", "cells"])
def test_tables_look_as_in_their_files(name, table):
    """Every digit, unit, mark and sentence, in at most 100 columns."""
    show = {"summary": terminal.print_summary, "cells": terminal.print_cells}[name]
    text = rendered(show, table)
    path = GOLDEN / f"{name}.txt"
    if "REWRITE_GOLDEN_FILES" in os.environ:
        path.write_text(text)
    assert text == path.read_text()
    assert max(map(len, text.splitlines())) <= 100


def test_off_a_terminal_there_is_no_escape_sequence(table):
    """A pipe gets plain text."""
    assert "\x1b" not in rendered(terminal.print_cells, table)


def test_names_are_text_not_markup(make_table):
    """A name in square brackets is printed, not obeyed."""
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, "[red]x[/red]": {"4x4-4": [0.5, 0.5]}}
    assert "[red]x[/red]" in rendered(terminal.print_cells, make_table(times))
