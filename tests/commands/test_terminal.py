"""Tables on the terminal, compared with files that hold them as they should look.

After a change that is meant, run with REWRITE_GOLDEN_FILES=1 and read the difference.
"""

import io
import os
import pty
import re
import subprocess
import sys

import pytest
from rich.console import Console

from builders.places import ROOT
from forwardbench.commands.shared import terminal

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture
def whole(make_bundle, ladder):
    """Measured, estimated, skipped and failed cells."""
    ladder["matmul"]["4x4-4"] = [4e-6, 4.04e-6, 4.04e-6]  # no difference shown
    ladder["matmul"]["1024x1024-1024"] = [0.04, 0.041, 0.04]
    ladder["mine"] = {"4x4-4": [1e-6, 1.1e-6, "ValueError: no"], "1x1-1": [2e-6, 2e-6, 2e-6]}
    return make_bundle(ladder, skipped={("python_loops", "1024x1024-1024"): (32.0, 28.0, 36.0)})


def rendered(show, whole, width=terminal.WIDTH):
    """What is printed off a terminal."""
    file = io.StringIO()
    show(
        whole.table, whole.evidence, Console(file=file, width=width, highlight=False, markup=False)
    )
    # Rich pads cells to their column's width; a golden file without trailing blanks is legible.
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("name", ["summary", "cells"])
def test_tables_look_as_in_their_files(name, whole):
    """Every digit, unit, mark and sentence, in at most 100 columns."""
    show = {"summary": terminal.print_summary, "cells": terminal.print_cells}[name]
    text = rendered(show, whole)
    path = GOLDEN / f"{name}.txt"
    if "REWRITE_GOLDEN_FILES" in os.environ:
        path.write_text(text)
    assert text == path.read_text()
    assert max(map(len, text.splitlines())) <= 100


def test_off_a_terminal_there_is_no_escape_sequence(whole):
    """A pipe gets plain text."""
    assert "\x1b" not in rendered(terminal.print_cells, whole)


def test_names_are_text_not_markup(make_bundle):
    """A name in square brackets is printed, not obeyed."""
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, "[red]x[/red]": {"4x4-4": [0.5, 0.5]}}
    assert "[red]x[/red]" in rendered(terminal.print_cells, make_bundle(times))


@pytest.mark.parametrize("width", [100, 80, 60, 48])
def test_a_narrower_terminal_goes_without_columns_in_the_stated_order(width, whole):
    """What is left out is a beginning of the list, and it is said; names and times stay."""
    text = rendered(terminal.print_cells, whole, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    head = next(line for line in text.splitlines() if line.startswith("case"))
    without = [name for name in terminal.DROPPED if name not in head]
    assert without == list(terminal.DROPPED[: len(without)])
    assert bool(without) == (width < 90)
    joined = " ".join(text.split())
    assert (f"No room for: {', '.join(without)}." in joined) == bool(without)
    assert all(name in head for name in ("case", "implementation", "time", "speedup"))


@pytest.mark.parametrize("width", [100, 70])
def test_many_implementations_take_several_tables(width, make_bundle):
    """Twelve across do not fit: each table begins with the case and the baseline's time."""
    names = ["python_loops", *(f"implementation_{number:02}" for number in range(11))]
    times = {name: {"64x64-64": [1e-3 / (i + 1)] * 2} for i, name in enumerate(names)}
    text = rendered(terminal.print_summary, make_bundle(times), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    rows = [line.split() for line in text.splitlines() if line.startswith("64x64-64")]
    assert len(rows) > 1
    assert {tuple(row[1:3]) for row in rows} == {("1.00", "ms")}
    assert sum(len(row) - 3 for row in rows) == 11


def test_long_names_are_cut_to_fit(make_bundle):
    """A case of many layers and a name without end leave room for the figures."""
    case = "64x" + "-".join(["1000"] * 30)
    times = {"python_loops": {case: [1.0, 1.0]}, "x" * 300: {case: [0.5, 0.5]}}
    for show in (terminal.print_cells, terminal.print_summary):
        text = rendered(show, make_bundle(times, sweep="shapes", name=show.__name__))
        assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
        assert "2.00x" in text


def on_a_terminal(*arguments, columns=80, **environment):
    """What a command writes to a terminal of that many columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "forwardbench", *map(str, arguments)],
        stdout=theirs, stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


@pytest.mark.slow
def test_colours_are_left_out_where_they_are_not_wanted(write_run, ladder):
    """NO_COLOR leaves no colour, TERM=dumb no escape sequence, and nothing leaves the screen."""
    folder = write_run(ladder)
    plain = on_a_terminal("show", folder, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|38|48)[;m]", plain)
    dumb = on_a_terminal("show", folder, TERM="dumb")
    assert "\x1b" not in dumb
    assert "python_loops" in dumb
    assert max(len(line.rstrip()) for line in dumb.splitlines()) <= 80
