"""Results whose files are not what they seem to be: pipes, devices, folders, and far too much."""

import os

import pytest

from builders.asv_folders import write_asv
from builders.places import ROOT
from forwardbench import files
from forwardbench.commands.main import main

FILES = ["pass-002.json", "first-calls.json"]


@pytest.fixture
def asv(tmp_path):
    """A folder of asv's results, and its one file of results."""
    folder = write_asv(tmp_path / "asv", {"python_loops": [1e-6, 2e-6], "matmul": [1e-6, 1e-6]})
    (file,) = folder.glob("desk/1a2b*.json")
    return folder, file


def shown(path, capsys):
    """Show results, which has to end in one line, and return it."""
    assert main(["show", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("forwardbench: ")
    assert said.err.count("\n") == 1
    return said.err


def put(kind, path):
    """Put something in place of a file."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(10 * 2**30)


MESSAGES = {
    "pipe": "it is a pipe, not a file",
    "device": "it is a device, not a file",
    "folder": "it is a folder, not a file",
    "huge": "has 10,240 MiB",
}


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_run_is_a_file(write_run, ladder, capsys, name, kind):
    """Whichever of its files it is."""
    folder = write_run(ladder)
    put(kind, folder / name)
    said = shown(folder, capsys)
    assert name in said
    assert MESSAGES[kind] in said


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_file_of_asv_is_a_file(asv, capsys, kind):
    """In its folder; a folder is none of its files when it is given by itself."""
    folder, file = asv
    put(kind, file)
    assert MESSAGES[kind] in shown(folder, capsys)
    if kind != "folder":
        assert MESSAGES[kind] in shown(file, capsys)


@pytest.mark.parametrize("kind", ["pipe", "device", "huge"])
def test_a_single_file_is_a_file(tmp_path, capsys, kind):
    """Whatever its name ends in."""
    for name in ("one.json", "one"):
        put(kind, tmp_path / name)
        assert MESSAGES[kind] in shown(tmp_path / name, capsys)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_run_without_a_file_run_json_is_none(write_run, ladder, capsys, kind):
    """The folder is said to lack it."""
    folder = write_run(ladder)
    put(kind, folder / "run.json")
    assert "is not a run: it holds no run.json" in shown(folder, capsys)


def test_files_with_a_byte_order_mark_are_read(write_run, ladder, asv, capsys):
    """All kinds: those of a run and those of asv."""
    folder, (results, _) = write_run(ladder), asv
    for path in (*folder.glob("*.json"), *results.glob("*/*.json")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert main(["show", str(folder)]) == 0
    assert main(["show", str(results)]) == 0
    assert capsys.readouterr().out.count("speedup over python_loops") == 2


def test_a_pass_of_ten_thousand_cells_fits():
    """By the size of the cells of a pass that was measured, with room to spare."""
    one = ROOT / "results" / "reference" / "pass-001.json"
    cells = len(files.read_json(one)["benchmarks"])
    assert cells > 100
    assert 10_000 * one.stat().st_size / cells < files.LARGEST_FILE / 5
