"""Files: written whole or not at all, and read only if they can be data."""

import errno
import json
import os
from pathlib import Path

import pytest

from forwardbench import files
from forwardbench.errors import UserError


def names(folder):
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


# --- writing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), SystemExit(143)]
)
def test_whatever_ends_the_writing_leaves_no_temporary_file(tmp_path, monkeypatch, error):
    """A full disk, Ctrl-C and a signal: the file that was there stays, alone."""
    path = tmp_path / "file.json"
    files.write_whole(path, "old")

    def end(descriptor):
        raise error

    monkeypatch.setattr(os, "fsync", end)
    with pytest.raises(type(error)):
        files.write_whole(path, "new")
    assert names(tmp_path) == ["file.json"]
    assert path.read_text() == "old"


def test_any_text_can_be_written(tmp_path):
    """What UTF-8 does not have is written as it is shown; bytes are written as they are."""
    files.write_whole(tmp_path / "text", "bad \udcff name\n")
    assert (tmp_path / "text").read_bytes() == b"bad \\udcff name\n"
    files.write_whole(tmp_path / "bytes", b"\xff\r\n")
    assert (tmp_path / "bytes").read_bytes() == b"\xff\r\n"
    assert names(tmp_path) == ["bytes", "text"]


def test_a_link_is_replaced_and_followed_only_if_a_person_typed_it(tmp_path):
    """What it leads to is changed in the second case alone, and then it stays a link."""
    (tmp_path / "kept").write_text("as it was")
    link = tmp_path / "link"
    link.symlink_to("kept")
    files.write_to(link, "typed")
    assert (tmp_path / "kept").read_text() == "typed"
    assert link.is_symlink()
    files.write_whole(link, "new")
    assert (tmp_path / "kept").read_text() == "typed"
    assert not link.is_symlink()
    assert link.read_text() == "new"


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    """Links go, and what they lead to stays; folders stay, and so does what is behind a link."""
    (tmp_path / "kept").write_text("")
    for name in ("run.json.part", "table.csv.123.part"):
        (tmp_path / name).write_text("half")
    (tmp_path / "link.part").symlink_to("kept")
    (tmp_path / "folder.part").mkdir()
    (tmp_path / "other").symlink_to(tmp_path)
    files.remove_leftovers(tmp_path / "other")
    assert len(names(tmp_path)) == 6
    files.remove_leftovers(tmp_path)
    assert names(tmp_path) == ["folder.part", "kept", "other"]


@pytest.mark.parametrize("name", ["bad\udcff", "a/\ud800/b", "null\0byte"])
def test_a_name_that_is_no_text_is_refused(name):
    """In one line that every terminal can show."""
    with pytest.raises(UserError, match="^--output '.*' cannot be written as text: ") as caught:
        files.check_name("--output", name)
    assert str(caught.value).isprintable()
    with pytest.raises(UserError, match="^--output is empty: give a name, or leave it out$"):
        files.check_name("--output", "")
    files.check_name("--output", "a folder/名前.csv")


# --- reading --------------------------------------------------------------------------------


def test_json_is_read_with_and_without_a_mark(tmp_path):
    """Editors on Windows put one at the beginning."""
    path = tmp_path / "data.json"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + '{"é": [1]}'.encode())
        assert files.read_json(path) == {"é": [1]}


def test_what_is_no_file_is_never_opened(tmp_path):
    """A pipe would wait for its writer, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path, message in (
        (tmp_path / "pipe", r"cannot read .*pipe: it is a pipe, not a file"),
        (tmp_path / "link", r"cannot read .*link: it is a pipe, not a file"),
        (Path("/dev/zero"), "cannot read /dev/zero: it is a device, not a file"),
        (tmp_path, "it is a folder, not a file"),
        (tmp_path / "none", "cannot read .*none: No such file or directory"),
        (tmp_path / "loop", "cannot read .*loop: "),
    ):
        with pytest.raises(UserError, match=message):
            files.read_json(path)


def test_a_file_has_a_largest_size(tmp_path, monkeypatch):
    """The message says which, and such a file is not opened, however much of it is a hole."""
    path = tmp_path / "data.json"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(UserError, match="has 10,240 MiB, and .* files of at most 256 MiB"):
        files.read_json(path)
    path.write_text("[1]")
    monkeypatch.setattr(files, "LARGEST_FILE", 3)
    assert files.read_json(path) == [1]
    monkeypatch.setattr(files, "LARGEST_FILE", 2)
    with pytest.raises(UserError, match="at most 0 MiB"):
        files.read_json(path)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b"9" * 5000, b'{"a": 1} x', b"\x00"]
)
def test_what_is_not_json_is_one_line(tmp_path, data):
    """Torn, in another encoding, nested too deep, or a number of thousands of digits."""
    (tmp_path / "data.json").write_bytes(data)
    with pytest.raises(UserError, match=r"^[^\n]*data.json is torn or is not JSON: [^\n]*$"):
        files.read_json(tmp_path / "data.json")


def test_what_does_not_fit_into_memory_is_one_line(tmp_path, monkeypatch):
    """A file may be small enough to be read and become too much when it is understood."""
    (tmp_path / "data.json").write_text("{}")

    def loads(text):
        raise MemoryError

    monkeypatch.setattr(json, "loads", loads)
    with pytest.raises(UserError, match="data.json needs more memory than there is"):
        files.read_json(tmp_path / "data.json")
