"""The catalogue: a file is an entry, and nothing else has to know of it."""

import importlib
import re
import sys

import pytest

from builders.tables import LADDER, make
from forwardbench.commands.main import main, make_parser
from forwardbench.outputs import charts, exports, pictures, report
from forwardbench.outputs.bundle import PARTS
from forwardbench.outputs.catalogue import chart_entries, export_entries
from forwardbench.outputs.text import write_kept

CHART = '''
"""Who is last? Drawn as the chart of times is, under a title of its own."""

from forwardbench.outputs.charts import time

ORDER = 2
QUESTION = "Who comes in last of all?"
HELP = "The line at the top."
NEEDS = "sweeps"


def title(part):
    return f"{len(part.rows)} cells, and somebody is last"


def draw(part, view):
    chart = time.draw(part, view)
    chart.title = title(part)
    return chart


def describe(part, title):
    return f"A chart of {part.name}, where {title}."
'''
EXPORT = '''
"""Names in capitals."""

ORDER = 4
SUMMARY = "every name, loudly"
FILE = "names.txt"
KEPT = OFFERED = True


def write(bundle):
    return "\\n".join(sorted(set(bundle.table["implementation"].str.upper()))) + "\\n"
'''
NAMES = "MATMUL\nNDARRAY_LOOPS\nPYTHON_LOOPS\nPYTHON_LOOPS (CONTROL)\n"


@pytest.fixture
def add_file(tmp_path, monkeypatch):
    """Add a file to a package of the catalogue, in a folder beside its own."""
    added = []

    def add(package, name, text):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        importlib.invalidate_caches()
        added.append((package, name))

    yield add
    for package, name in added:
        sys.modules.pop(f"{package.__name__}.{name}", None)
        vars(package).pop(name, None)


def choices_of(command, option):
    """What a command's option can be."""
    (commands,) = [
        action.choices for action in make_parser()._actions if isinstance(action.choices, dict)
    ]
    (found,) = [a for a in commands[command]._actions if option in a.option_strings]
    return list(found.choices)


@pytest.mark.slow
def test_a_new_chart_is_a_choice_and_is_drawn_everywhere(add_file, write_run, ladder, tmp_path):
    """One file more: `chart --kind` knows it, all pictures have it, and so has the page."""
    assert "comes-last" not in choices_of("chart", "--kind")
    before = choices_of("chart", "--kind")
    add_file(charts, "comes_last", CHART)
    assert set(choices_of("chart", "--kind")) - set(before) == {"comes-last"}
    whole = make(LADDER)
    drawn = {each.entry.name: each for each in pictures.draw_all(whole)}
    title = f"{len(whole.table)} cells, and somebody is last"
    assert drawn["comes-last"].chart.title == title
    assert drawn["comes-last"].alternative == f"A chart of square, where {title}."
    assert list(drawn) == sorted(drawn, key=lambda name: drawn[name].entry.declared["ORDER"])
    page = report.make_page(whole)
    assert "Who comes in last of all?" in page
    assert title in page
    folder, out = write_run(ladder), tmp_path / "pictures"
    arguments = ["chart", str(folder), "--kind", "comes-last", "--format", "svg"]
    assert main([*arguments, "--output", str(out)]) == 0
    assert [path.name for path in out.iterdir()] == ["comes-last-square.svg"]


@pytest.mark.slow
def test_a_new_export_is_a_choice_and_is_written_everywhere(
    add_file, write_run, ladder, tmp_path, capsys
):
    """One file more: `export --format` knows it, the page offers it, a run's folder keeps it."""
    assert "names-loudly" not in choices_of("export", "--format")
    add_file(exports, "names_loudly", EXPORT)
    assert "names-loudly" in choices_of("export", "--format")
    assert main(["export", str(write_run(ladder)), "--format", "names-loudly"]) == 0
    assert capsys.readouterr().out == NAMES
    whole = make(LADDER)
    write_kept(whole, tmp_path)
    assert (tmp_path / "names.txt").read_text() == NAMES
    assert 'download="names.txt"' in (tmp_path / "report.html").read_text()


def test_every_chart_declares_what_it_must():
    """Its place and its part of the bundle in plain constants, its words, and its functions."""
    entries = chart_entries()
    assert len(entries) >= 7
    for entry in entries:
        module, declared = entry.load(), entry.declared
        assert declared["ORDER"] > 0
        assert module.QUESTION[0].isupper()
        assert module.HELP.endswith(".")
        assert declared["NEEDS"] in PARTS
        assert declared.get("SHAPE", "wide") in ("wide", "dense")
        assert isinstance(declared.get("LINEAR", False), bool)
        assert all(callable(getattr(module, name)) for name in ("title", "draw", "describe"))
    assert {entry.needs for entry in entries} == set(PARTS)  # and nothing is offered in vain


def test_every_export_declares_what_it_must():
    """Its place, summary and file in plain constants, and how it is written."""
    entries = export_entries()
    assert len(entries) >= 7
    for entry in entries:
        assert entry.declared["ORDER"] > 0
        assert entry.declared["SUMMARY"]
        assert re.fullmatch(r"[\w-]+\.(csv|json|md|html)", entry.declared["FILE"])
        assert callable(entry.load().write)


@pytest.mark.parametrize("entries", [chart_entries(), export_entries()], ids=["charts", "exports"])
def test_what_is_read_of_a_file_is_what_it_declares(entries):
    """Constants are read without importing, and are the module's own; each has its own place."""
    for entry in entries:
        module = entry.load()
        for name, value in entry.declared.items():
            assert getattr(module, name) == value
    names = [entry.name for entry in entries]
    places = [entry.declared["ORDER"] for entry in entries]
    assert len(set(names)) == len(names)
    assert len(set(places)) == len(places)


def test_no_two_exports_write_one_file():
    """A run's folder and a page hold several side by side."""
    files = [entry.declared["FILE"] for entry in export_entries()]
    assert len(set(files)) == len(files)
