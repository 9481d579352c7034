"""A run's folder: one run in each, whole files only, and nothing foreign taken up again."""

import errno
import json
import os
import subprocess
import sys

import pytest

from builders.requests import REQUEST, planned
from forwardbench import files, results
from forwardbench.errors import UserError
from forwardbench.measure import plan, session
from forwardbench.measure import run_folder as folders
from forwardbench.measure.passes import write_pass
from forwardbench.measure.run_folder import claim_folder, resume_folder
from forwardbench.measure.session import measure_passes


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pass-001.json", '{"benchmarks": [', "pass-001.json is torn or is not JSON"),
        ("pass-001.json", "[]", "pass-001.json is not of a form"),
        ("pass-001.json", '{"benchmarks": [{}]}', "pass-001.json is not of a form"),
        ("run.json", "", "run.json is torn or is not JSON"),
        ("run.json", "[1]", "run.json is not of a form"),
        ("run.json", "{}", "run.json is not of a form"),
        ("run.json", '{"format": 1}', "written by another version of forwardbench"),
        ("run.json", '{"format": 2, "request": 3}', "run.json is not of a form"),
        ("run.json", {"measured": True}, "run.json is not of a form"),
        ("run.json", {"skipped": -1}, "run.json is not of a form"),
        ("run.json", {"measured": [{"cell": {}, "expected_seconds": 1}]}, "is not of a form"),
        ("run.json", {"verification": [{}]}, "run.json is not of a form"),
        ("run.json", {"verification": 1e308}, "run.json is not of a form"),
    ],
)
def test_a_torn_or_foreign_file_is_named_when_resuming(claimed, name, text, message):
    """One line with the file in it."""
    if isinstance(text, dict):
        text = json.dumps({**claimed.document, **text})
    (claimed.path / name).write_text(text)
    claimed.lock.release()
    with pytest.raises(UserError, match=message):
        resume_folder(claimed.path)


@pytest.mark.parametrize(
    "change",
    [{"passes": "nan"}, {"passes": 0}, {"passes": 2.5}, {"max_time": ""}, {"max_time": 10**400},
     {"precision": {}}, {"precision": 3}, {"seed": None}, {"sweeps": {"shapes": ["x"]}},
     {"dtypes": 1}],
    ids=lambda change: str(change)[:30],
)  # fmt: skip
def test_a_foreign_request_is_refused(claimed, change):
    """Numbers of the wrong type or size are one line."""
    claimed.document["request"].update(change)
    claimed.write()
    claimed.lock.release()
    with pytest.raises(UserError):
        resume_folder(claimed.path).request  # noqa: B018


def test_only_a_run_is_resumed(tmp_path):
    """A folder without session.json, or none at all, is refused."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="there is no run to resume in"):
            resume_folder(path)


# --- one folder, one run ------------------------------------------------------------------


def test_two_runs_do_not_share_a_folder(claimed):
    """While one process holds it, another is refused, and may when the first has ended."""
    code = (
        "import sys; from pathlib import Path\n"
        "from forwardbench.measure.run_folder import resume_folder\n"
        f"resume_folder(Path({str(claimed.path)!r}))"
    )
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "UserError: another run is writing into" in refused.stderr
    claimed.lock.release()
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_lock_of_a_killed_process_is_stale(claimed):
    """The file stays behind and keeps nobody out."""
    claimed.lock.release()
    code = (
        "import time; from pathlib import Path\n"
        "from forwardbench.measure.run_folder import resume_folder\n"
        f"folder = resume_folder(Path({str(claimed.path)!r}))\n"
        "print('held', flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(UserError, match="another run is writing into"):
        resume_folder(claimed.path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert (claimed.path / ".lock").exists()
    assert resume_folder(claimed.path).lock.is_locked


def test_a_folder_is_claimed_or_the_reason_is_said(tmp_path, monkeypatch):
    """Existing, impossible and full places get one line, and nothing is left behind."""
    with pytest.raises(UserError, match="exists already: name a new folder with --output"):
        claim_folder(tmp_path, REQUEST)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot make the folder .*Not a directory"):
        claim_folder(tmp_path / "file" / "run", REQUEST)

    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folders, "write_whole", full)
    with pytest.raises(UserError, match="cannot write into .*No space left on device"):
        claim_folder(tmp_path / "run", REQUEST)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_a_claim_that_is_stopped_leaves_nothing_behind(tmp_path, monkeypatch, end):
    """Ctrl-C and a signal while `run.json` is written."""

    def stop(path, text):
        raise end

    monkeypatch.setattr(folders, "write_whole", stop)
    with pytest.raises(end):
        claim_folder(tmp_path / "run", REQUEST)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_claim_left_is_cleared_away(tmp_path):
    """Whatever its run was to be called; what is being claimed, or is no claim, stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = [tmp_path / f".{name}.{ended.pid}.part" for name in ("run", "an.other")]
    kept = [
        tmp_path / f".run.{os.getppid()}.part",  # of a process that is running
        tmp_path / ".run.part",
        tmp_path / f"run.{ended.pid}.part",
        tmp_path / f".theirs.{ended.pid}.part",
    ]
    for folder in (*left, *kept):
        folder.mkdir()
        (folder / "run.json").write_text("{")
        (folder / "run.json.1.part").write_text("{")
    (kept[-1] / "more").write_text("")
    claim_folder(tmp_path / "run", REQUEST)
    assert {path.name for path in tmp_path.iterdir()} == {"run", *(path.name for path in kept)}
    assert all((folder / "run.json").exists() for folder in kept)


def test_a_disk_that_fills_up_loses_no_finished_pass(claimed, monkeypatch):
    """One line names the passes that are safe and how to see them."""
    real = write_pass

    def full_at_two(path, number, result):
        if number == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, number, result)

    monkeypatch.setattr(session, "write_pass", full_at_two)
    with pytest.raises(UserError, match="No space left on device; the 1 passes before it are safe"):
        measure_passes(claimed, REQUEST, plan.Plan(planned("matmul")))
    assert len(results.load(claimed.path).samples) == 2


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A disk that fills up leaves the file that was there, and no temporary one."""
    path = tmp_path / "file.json"
    files.write_whole(path, "old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["file.json"]
    assert path.read_text() == "old"


def test_the_commit_is_forwardbenchs_own(tmp_path, monkeypatch):
    """Wherever a run is started, it names the commit of this code, or none."""
    before = folders.forwardbench_commit()
    monkeypatch.chdir(tmp_path)
    assert folders.forwardbench_commit() == before
    assert before == {} or len(before["id"]) == 40
