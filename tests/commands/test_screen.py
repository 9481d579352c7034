"""What is printed: by one module, with nothing in it that a terminal obeys, to whoever listens."""

import ast
import io
import logging
import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import TextColumn
from rich.table import Table
from rich.text import Text

from builders.command_line import FORWARDBENCH
from builders.places import ROOT, SOURCES
from builders.tables import make, with_table
from forwardbench.commands.main import main
from forwardbench.commands.shared import screen, terminal
from forwardbench.commands.shared.console import SafeConsole
from forwardbench.commands.shared.progress import Progress

GOLDEN = ROOT / "tests" / "golden"
HOSTILE = "a\x1b[31mred\x07\x9b1m\u202egpj\udcff"
SHOWN = r"a\x1b[31mred\x07\x9b1m\u202egpj\udcff"


# --- one place ------------------------------------------------------------------------------

PRINTER = SOURCES / "commands" / "shared" / "screen.py"


def printing(source):
    """Every place in a source that prints by itself, or makes something that does."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name("print" | "input" | "Console" | "pprint" as name)):
                yield name
            case ast.Call(
                func=ast.Attribute(attr="Console" | "print_exc" | "print_exception" as name)
            ):
                yield name
            case ast.Call(func=ast.Name("Bar" | "Live" as name), keywords=keywords):
                if "console" not in {keyword.arg for keyword in keywords}:
                    yield name
            case ast.Call(func=ast.Name("exit") | ast.Attribute(attr="exit"), args=[first, *_]):
                if isinstance(first, ast.JoinedStr) or isinstance(
                    getattr(first, "value", None), str
                ):
                    yield "exit"
            case ast.Attribute(ast.Name("sys"), attr) if attr.strip("_") in ("stdout", "stderr"):
                yield attr
            case ast.Attribute(ast.Name("os"), "write"):
                yield "os.write"
            case ast.ImportFrom(module="sys", names=names):
                yield from (name.name for name in names if name.name.startswith("std"))
            case ast.ImportFrom(module="rich", names=names):
                yield from (name.name for name in names)


@pytest.mark.parametrize(
    "source",
    [
        "print(1)", "sys.stdout.write(x)", "sys.stderr.flush()", "print(x, file=sys.__stderr__)",
        "from sys import stdout", "from rich import print", "Console().print(x)", "Bar()",
        "rich.console.Console(stderr=True)", "os.write(1, x)", "sys.exit('no')",
        "parser.exit(f'{x}')", "traceback.print_exc()", "exit('a' 'b')",
    ],
)  # fmt: skip
def test_whoever_prints_is_found(source):
    """What the next test looks for is what it finds."""
    assert [*printing(source)]


def test_one_module_prints():
    """Nobody else has stdout or stderr, so nobody can forget to make text safe."""
    others = [path for path in SOURCES.rglob("*.py") if path != PRINTER]
    assert len(others) > 100
    found = {str(path): [*printing(path.read_text())] for path in others}
    assert {path: names for path, names in found.items() if names} == {}


# --- safe text ------------------------------------------------------------------------------


def test_lines_are_printed_without_control_characters(capsys):
    """On stdout and stderr; a line stays one line, and text of several lines keeps its lines."""
    screen.print_line(f"{HOSTILE}\nforwardbench: all is well")
    screen.print_text(f"a,b\n{HOSTILE}\t1\n")
    screen.say(f"{HOSTILE}\r\nforwardbench: all is well")
    said = capsys.readouterr()
    assert said.out == f"{SHOWN}\\nforwardbench: all is well\na,b\n{SHOWN}\t1\n"
    assert said.err == f"{SHOWN}\\r\\nforwardbench: all is well\n"


def test_what_libraries_and_python_print_is_safe_too(capsys, monkeypatch):
    """Warnings, log messages and tracebacks, whose text may be a file's."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    screen.prepare()
    warnings.showwarning(UserWarning(HOSTILE), UserWarning, "file.py", 1)
    assert f"file.py:1: UserWarning: {SHOWN}\n" in capsys.readouterr().err
    record = logging.LogRecord("x", logging.WARNING, "", 0, f"one\n{HOSTILE}", (), None)
    logging.lastResort.handle(record)
    assert capsys.readouterr().err == f"one\n{SHOWN}\n"
    sys.excepthook(ValueError, ValueError(HOSTILE), None)
    assert capsys.readouterr().err == f"ValueError: {SHOWN}\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_console_obeys_nothing_that_it_is_given(is_terminal, capsys):
    """Strings, texts, cells and headings; its own colours and line breaks still work."""
    colours = "standard" if is_terminal else None
    console = SafeConsole("stdout", force_terminal=is_terminal, color_system=colours, width=90)
    table = Table(box=None)
    table.add_column(f"[b]{HOSTILE}")
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE, style="red"))
    for shown in (HOSTILE, table, Text(HOSTILE)):
        console.print(shown)
    written = capsys.readouterr().out
    for own in ("\x1b[1m", "\x1b[31m", "\x1b[0m"):
        assert (own in written) == is_terminal
        written = written.replace(own, "")
    assert [line.strip() for line in written.splitlines()] == [
        SHOWN, f"[b]{SHOWN}", SHOWN, *[SHOWN.replace(r"\x07", "")] * 2,  # rich's texts lose it
    ]  # fmt: skip


def test_a_progress_bar_obeys_nothing_either(monkeypatch):
    """Its description may name what a file named; rich moves the cursor, the text does not."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    console = SafeConsole(
        "stderr", force_terminal=True, width=80, color_system=None, legacy_windows=False
    )
    with Progress(1, console) as progress:
        assert progress._bar is not None
        progress._bar.columns = (TextColumn("{task.description}", markup=False),)
        progress._bar.update(progress._task, description=HOSTILE)
        progress.begin_first_calls(1)
        progress._bar.update(progress._task, description=HOSTILE, refresh=True)
        screen.say("beside the bar")
    assert r"a\x1b[31mred" in stream.getvalue()
    assert "beside the bar" in stream.getvalue()
    assert not {"\x07", "\x9b", "\u202e", "\udcff"} & {*stream.getvalue()}
    assert "\x1b[31m" not in stream.getvalue()


def test_a_table_of_hostile_names_looks_as_in_its_file(monkeypatch):
    """Names that no reader has cleaned: each column still stands where it should."""
    names = [f"{HOSTILE}\n1", "\x1b]0;title\x07", "\u2066left\u2069"]
    times = {name: {"4x4-4": [1e-6] * 3} for name in ("python_loops", "matmul", "einsum")}
    bundle = make(times)
    renamed = dict(zip(times, names, strict=True))
    table = bundle.table.replace({"implementation": renamed, "baseline": renamed})
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    hostile = with_table(bundle, **{name: table[name] for name in ("implementation", "baseline")})
    terminal.print_cells(hostile.table, hostile.evidence, terminal.make_console())
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
    path = GOLDEN / "hostile.txt"
    if "REWRITE_GOLDEN_FILES" in os.environ:
        path.write_text(text)
    assert text == path.read_text()
    assert not {"\x1b", "\x07", "\u2066", "\udcff"} & {*text}


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", HOSTILE], ["fly" + HOSTILE], ["run", "--x" + HOSTILE],
        ["run", "--passes", HOSTILE],
        ["chart", "nowhere", "--format", HOSTILE], ["verify", "--implementation", HOSTILE + ".py"],
        ["run", "--resume", f"{HOSTILE}\nforwardbench: fine"], ["run", "--sweep", HOSTILE],
        ["run", "--shape", HOSTILE], ["run", "--baseline", HOSTILE], ["export", HOSTILE],
        ["compare", HOSTILE, HOSTILE], ["run", "--threads", HOSTILE], ["run", "--dtype", HOSTILE],
    ],
)  # fmt: skip
def test_a_hostile_argument_is_quoted_back_safely(arguments, capsys):
    """Also in messages of argparse: one line, and no character of it is an order."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert said.err.startswith("forwardbench: ")
    assert said.err.count("\n") == 1
    assert said.err.strip().isprintable()


def test_a_docstring_is_listed_safely(tmp_path, monkeypatch, capsys):
    """A workload of one's own says what it is in its first line."""
    source = (ROOT / "tests" / "workloads" / "toy" / "moments.py").read_text()
    body = source[source.index('"""', 3) + 3 :]
    (tmp_path / "moments.py").write_text('"""Red \\x1b[31m and \\x07 bell."""' + body)
    monkeypatch.setenv("FORWARDBENCH_WORKLOADS", str(tmp_path))
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.splitlines())


# --- streams that nobody reads --------------------------------------------------------------

FULL = "forwardbench: cannot write to standard output: No space left on device\n"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line):
    """Run a line with bash; `forwardbench` is ours. Returns the status of the last pipe's first."""
    command = shlex.join(FORWARDBENCH)
    line = line.replace("forwardbench", command, 1)
    return subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True
    )


@needs_full
@pytest.mark.parametrize(
    ("line", "status", "out", "err"),
    [
        ("forwardbench list | head -0", 0, "", ""),
        ("forwardbench --help | head -0", 0, "", ""),
        ("forwardbench list >&-", 0, "", ""),
        ("forwardbench --version >&-", 0, "", ""),
        ("forwardbench list >/dev/full", 2, "", FULL),
        ("forwardbench --help >/dev/full", 2, "", FULL),
        ("forwardbench list 1</dev/null", 2, "", "output: Bad file descriptor\n"),
        ("forwardbench fly 2>&-", 2, "", ""),
        ("forwardbench fly 2>/dev/full", 2, "", ""),
        ("forwardbench fly >&- 2>&-", 2, "", ""),
        ("forwardbench fly 2>&1 | head -0", 2, "", ""),
        ("forwardbench list >/dev/full 2>&1", 2, "", ""),
        ("forwardbench list <&-", 0, "Implementations by family", ""),
        ("SOURCE_DATE_EPOCH=1700000000 forwardbench list", 0, "Implementations by family", ""),
        ("SOURCE_DATE_EPOCH=today forwardbench list", 2, "", "is no number of seconds: unset it"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_survived(line, status, out, err):
    """No traceback; a reader that has gone is no failure, and a full disk is one line."""
    done = shell(line)
    assert (done.returncode, done.stdout[: len(out)]) == (status, out)
    assert bool(done.stdout) == bool(out)
    assert err in done.stderr
    assert done.stderr.count("\n") <= 1


@needs_full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "status"), [("| head -1", 3), (">&-", 3), (">/dev/full", 3), ("2>&-", 3), ("", 3)]
)
def test_a_verdict_is_kept_when_nobody_reads_it(end, status, two_runs):
    """A regression stays status 3, whatever became of the table."""
    before, after = two_runs((2.0, 1.0))
    done = shell(f"forwardbench compare {before} {after} --fail-on-regression 5% {end}")
    assert done.returncode == status
    assert "Traceback" not in done.stderr


@needs_full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "status"),
    [
        (">/dev/full", 2),
        (">&- 2>&-", 0),
        pytest.param("2>/dev/full", 0, marks=pytest.mark.exhaustive),
        pytest.param("2>&1 | head -1", 0, marks=pytest.mark.exhaustive),
        pytest.param("| true", 0, marks=pytest.mark.exhaustive),
    ],
)
def test_a_run_is_finished_when_nobody_reads_along(end, status, tmp_path):
    """All passes, the table and the report are there, and no file holds what was to be printed."""
    folder = tmp_path / "run"
    options = "--implementation matmul --shape 2x3-2 --passes 2"
    done = shell(f"forwardbench run {options} --output {folder} {end}")
    assert done.returncode == status, done.stderr
    made = {path.name for path in folder.iterdir()}
    assert {"run.json", "pass-002.json", "table.csv", "report.html"} <= made
    assert "Traceback" not in done.stderr
    assert not any(
        "Measuring" in path.read_text() for path in folder.iterdir() if path.suffix == ".json"
    )


def test_stderr_that_is_closed_leaves_the_data_alone(write_run, ladder):
    """Warnings must not end up among the figures."""
    folder = write_run(ladder)
    loud, quiet = (shell(f"forwardbench export {folder} {end}") for end in ("", "2>&-"))
    assert loud.stdout == quiet.stdout
    assert "Warning" not in quiet.stdout


def test_rich_finds_what_it_needs(monkeypatch):
    """The encoding and the kind of the stream, by which it chooses characters and colours."""
    outlet: Any = screen.Outlet("stdout")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert (outlet.encoding, outlet.isatty()) == ("ascii", False)
    assert Console(file=outlet).encoding == "ascii"
    monkeypatch.setattr(sys, "stdout", None)
    assert (outlet.encoding, outlet.isatty()) == ("utf-8", False)
    assert outlet.write("text") == 4
