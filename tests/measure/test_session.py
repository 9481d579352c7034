"""Run folders: what is kept, what is taken up again, and what is refused."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from builders.requests import REQUEST, VERIFIED, planned
from forwardbench import files, results
from forwardbench.errors import UserError
from forwardbench.implementations import requirements
from forwardbench.measure import plan, session
from forwardbench.measure import run_folder as folders
from forwardbench.measure.fingerprint import changes, fingerprint
from forwardbench.measure.passes import PassResult
from forwardbench.measure.run_folder import claim_folder, resume_folder
from forwardbench.measure.session import Observer, measure_passes


class Passes(Observer):
    """Remembers the passes that ended."""

    def __init__(self):
        self.ended = []

    def end(self, number):
        """Note the pass."""
        self.ended.append(number)


@pytest.fixture
def claimed(tmp_path):
    """Make a folder with a plan of two cells of matmul."""
    folder = claim_folder(tmp_path / "run", REQUEST)
    folder.record_plan(VERIFIED, plan.Plan(planned("matmul")))
    return folder


def made_up_pass(cells, times):
    """Make the result of a pass without measuring: seconds by label and case."""
    return PassResult(
        {
            "benchmarks": [
                {
                    "extra_info": {"cell": each.cell.to_json(), "workload_version": 1},
                    "stats": {"median": times(each.cell), "iterations": 1},
                }
                for each in cells
            ]
        },
        {},
        {"seconds": 1.0, "others": 0, "stolen": 0, "busiest": "", "busiest_cpus": 0},
    )


@pytest.fixture
def invented(monkeypatch):
    """Replace measuring: note each pass's cells, and let times come from a function."""
    noted = {}

    def replace_with(times):
        def run_pass(cells, seed, *rest):
            noted[seed] = [str(each.cell) for each in cells]
            return made_up_pass(cells, lambda cell: times(cell, len(noted)))

        monkeypatch.setattr(session, "run_pass", run_pass)
        return noted

    return replace_with


# --- a whole run -------------------------------------------------------------------------


def test_a_run_is_kept_and_read_back(tmp_path):
    """Two passes of a small run: every cell measured, controls of both ends, request kept."""
    folder = claim_folder(tmp_path / "deep" / "run", REQUEST)
    made = plan.make_plan(REQUEST, VERIFIED)
    folder.record_plan(VERIFIED, made)
    measure_passes(folder, REQUEST, made)
    assert sorted(path.name for path in folder.path.iterdir()) == [
        ".lock", "pass-001.json", "pass-002.json", "run.json",
    ]  # fmt: skip
    loaded = results.load(folder.path)
    labels = {"python_loops", "matmul", "python_loops (control)", "matmul (control)"}
    assert set(loaded.cells["implementation"]) in (labels, labels - {"matmul (control)"})
    assert set(loaded.cells["status"]) == {"measured"}
    document = json.loads((folder.path / "run.json").read_text())
    assert document["request"]["seed"] == 3
    assert document["finished"] >= document["started"]
    assert max(path.stat().st_size for path in folder.path.glob("pass*")) < 2e6


def test_a_run_says_where_it_was_made(tmp_path):
    """The machine, the timer and the peaks are in session.json; what else happened in each pass."""
    folder = claim_folder(tmp_path / "run", REQUEST)
    made = plan.make_plan(REQUEST, VERIFIED)
    folder.record_plan(VERIFIED, made)
    measure_passes(folder, replace(REQUEST, passes=1), made)
    document = json.loads((folder.path / "run.json").read_text())
    machine = document["environment"]["machine"]
    assert {"cpu", "caches", "cores", "available_cpus", "memory_bytes", "governor", "virtual",
            "system", "release", "python_version"} <= set(machine)  # fmt: skip
    assert "node" not in machine
    assert machine["memory_bytes"] > 2**28
    assert 0 < document["environment"]["timer_step"] < 1e-3
    threads = {each["threads"] for each in document["ceilings"]}
    assert threads == {1, len(machine["available_cpus"])}
    one = json.loads((folder.path / "pass-001.json").read_text())
    assert one["meanwhile"]["seconds"] > 0.1
    assert 0 <= one["meanwhile"]["others"] < 1000
    assert one["machine_info"]["blas"] == "" or one["machine_info"]["threads"]["pools"]
    assert one["machine_info"]["versions"]["numpy"]


def test_a_cell_that_fails_ends_the_run_early_and_is_read(bad, tmp_path):
    """Without cells there is no next pass, and the table says failed."""
    (_, fails) = planned(bad("raises", "raise ValueError('no')"))
    folder = claim_folder(tmp_path / "run", REQUEST)
    folder.record_plan(VERIFIED, plan.Plan([fails]))
    measure_passes(folder, REQUEST, plan.Plan([fails]))
    assert [file.name for file in folder.path.glob("pass*")] == ["pass-001.json"]
    loaded = results.load(folder.path)
    assert loaded.cells["status"].tolist() == ["failed"]
    assert loaded.samples.empty


# --- interrupted and taken up again -----------------------------------------------------


def test_an_interrupted_run_keeps_its_passes_and_goes_on(claimed, monkeypatch):
    """Whatever ends the second pass, the first can be read, and resuming makes the second."""
    real = session.run_pass

    def interrupted(remaining, seed, *rest):
        if seed.endswith("/2"):
            raise KeyboardInterrupt
        return real(remaining, seed, *rest)

    monkeypatch.setattr(session, "run_pass", interrupted)
    passes = Passes()
    with pytest.raises(KeyboardInterrupt):
        measure_passes(claimed, REQUEST, plan.Plan(planned("matmul")), passes)
    assert passes.ended == [1]
    assert len(results.load(claimed.path).samples) == 2
    first = (claimed.path / "pass-001.json").read_bytes()

    claimed.lock.release()
    monkeypatch.setattr(session, "run_pass", real)
    taken_up = resume_folder(claimed.path)
    assert taken_up.request == REQUEST
    measure_passes(taken_up, taken_up.request, plan.Plan.from_json(taken_up.document), passes)
    assert passes.ended == [1, 2]
    assert len(results.load(claimed.path).samples) == 4
    assert (claimed.path / "pass-001.json").read_bytes() == first


def test_a_resumed_run_has_the_order_it_would_have_had(claimed, invented):
    """Each pass is shuffled from the run's seed and its own number."""
    noted = invented(lambda cell, number: 1e-6)
    measure_passes(claimed, replace(REQUEST, passes=1), plan.Plan(planned("matmul")))
    claimed.lock.release()
    measure_passes(resume_folder(claimed.path), REQUEST, plan.Plan(planned("matmul")))
    assert list(noted) == ["3/1", "3/2"]


def test_a_cell_that_failed_before_is_left_out_when_resumed(claimed, invented):
    """Its failure is in the pass that it happened in, and is read back from there."""
    noted = invented(lambda cell, number: 1e-6)
    first, second = planned("matmul")
    result = made_up_pass([first], lambda cell: 1e-6)
    result.failures[str(second.cell)] = "crashed"
    session.write_pass(claimed.path, 1, result)
    claimed.lock.release()
    measure_passes(resume_folder(claimed.path), REQUEST, plan.Plan([first, second]))
    assert noted == {"3/2": [str(first.cell)]}


def test_what_a_killed_process_left_half_written_is_cleared_away(claimed):
    """A temporary file is no pass, and is gone after resuming."""
    (claimed.path / "pass-001.json.part").write_text('{"benchmarks": [')
    claimed.lock.release()
    assert resume_folder(claimed.path).finished_passes().numbers == []
    assert not list(claimed.path.glob("*.part"))


@pytest.mark.parametrize(
    ("name", "was"),
    [("the CPU", "Another CPU"), ("NumPy", "1.0"), ("the file of matmul", "code 0123456789"),
     ("forwardbench", "0.0, code 0123456789"), ("the CPUs that may be used", "0, 1, 2, 3, 4")],
)  # fmt: skip
def test_a_run_from_elsewhere_is_not_resumed(claimed, name, was):
    """What has changed is named with what it was and what it is."""
    now = claimed.document["fingerprint"][name]
    claimed.document["fingerprint"][name] = was
    claimed.write()
    claimed.lock.release()
    with pytest.raises(UserError, match="cannot be resumed") as caught:
        resume_folder(claimed.path)
    assert f"{name} was {was} and is {now}" in str(caught.value)


def test_an_edited_contender_is_noticed(tmp_path, bad):
    """One letter more in its file, and its passes do not compare."""
    path = bad("mine", "pass")
    request = replace(REQUEST, contenders={"mine": str(path)}, baseline="mine")
    folder = claim_folder(tmp_path / "run", request)
    folder.lock.release()
    path.write_text(path.read_text() + "#")
    with pytest.raises(UserError, match="the file of mine was code"):
        resume_folder(folder.path)
    path.unlink()
    with pytest.raises(UserError, match="there is no implementation file"):
        resume_folder(folder.path)


def test_another_version_of_a_framework_is_noticed(tmp_path, bad, monkeypatch):
    """The run's file says which it was, for each contender that names what it requires."""
    path = bad("mine", "pass")
    path.write_text('REQUIRES = "threadpoolctl"\n' + path.read_text())
    contenders = {"mine": str(path), "matmul": "matmul"}
    monkeypatch.setattr(requirements.metadata, "version", lambda package: "1.2")
    folder = claim_folder(tmp_path / "run", replace(REQUEST, contenders=contenders))
    folder.lock.release()
    assert folder.document["environment"]["frameworks"] == {"mine": {"threadpoolctl": "1.2"}}
    assert folder.document["environment"]["on_gpu"] == []
    resume_folder(folder.path).lock.release()
    monkeypatch.setattr(
        requirements.metadata, "version", lambda name: "1.3" if name == "threadpoolctl" else "1.2"
    )
    with pytest.raises(UserError, match="threadpoolctl was 1.2 and is 1.3: start a new run"):
        resume_folder(folder.path)


def test_what_computes_on_a_gpu_is_noted(tmp_path):
    """The CPU's peaks, which the run measures too, say nothing about it."""
    contenders = {"torch_cuda": "torch_cuda", "matmul": "matmul"}
    folder = claim_folder(tmp_path / "run", replace(REQUEST, contenders=contenders))
    assert folder.document["environment"]["on_gpu"] == ["torch_cuda"]


def test_other_cases_are_noticed(claimed):
    """A sweep that has other cases now than when the run began is refused."""
    claimed.document["request"]["sweeps"] = {"square": ["1x1-1"]}
    claimed.write()
    claimed.lock.release()
    with pytest.raises(UserError, match="the cases of the sweep square have changed"):
        resume_folder(claimed.path).request  # noqa: B018


def test_changes_are_those_of_the_values():
    """Nothing where nothing changed; added and missing things are named as well."""
    assert list(changes({"a": "1"}, {"a": "1"})) == []
    assert list(changes({"a": "1", "b": "2"}, {"a": "3", "c": "4"})) == [
        "a was 1 and is 3", "b was 2 and is not there", "c was not there and is 4",
    ]  # fmt: skip


def test_the_fingerprint_is_the_same_twice():
    """Clock rates and load, which vary, are not part of it."""
    machine = folders.describe_machine()
    other = {**machine, "cpu": {**machine["cpu"], "hz_actual": (1, 0)}}
    assert fingerprint(REQUEST.contenders, machine) == fingerprint(REQUEST.contenders, other)


# --- torn and foreign files ---------------------------------------------------------------


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
        "from forwardbench.measure.folder import resume_folder\n"
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
        "from forwardbench.measure.folder import resume_folder\n"
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


def test_a_disk_that_fills_up_loses_no_finished_pass(claimed, monkeypatch):
    """One line names the passes that are safe and how to see them."""
    real = session.write_pass

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


# --- precision ----------------------------------------------------------------------------

WIGGLE = (0.99, 1.01, 1.0)


def noisy_until(last):
    """Times of loops that scatter by a third up to some pass, and of matmul that do not."""

    def times(cell, number):
        if cell.implementation == "python_loops" and str(cell.case) == "2x3-2" and number <= last:
            return (1e-6, 1.3e-6)[number % 2]
        return 1e-6 * WIGGLE[number % 3]

    return times


PAIR = [*planned("python_loops"), *planned("matmul")]


def measured(path, request):
    """Make a run over both implementations of the pair."""
    folder = claim_folder(path, request)
    folder.record_plan(VERIFIED, plan.Plan(PAIR))
    measure_passes(folder, request, plan.Plan(PAIR))
    return folder


def test_passes_are_added_for_the_cells_that_need_them(tmp_path, invented):
    """After ten full passes only the noisy pair goes on, until its interval is narrow."""
    noted = invented(noisy_until(6))
    request = replace(REQUEST, passes=10, precision=0.1, max_time=1000.0)
    folder = measured(tmp_path / "run", request)
    sizes = [len(cells) for cells in noted.values()]
    assert sizes[:11] == [4] * 10 + [2]
    assert set(sizes[11:]) <= {2}
    table = results.load(folder.path)
    assert table.level == 0.97
    counts = table.samples.groupby("case")["pass"].nunique()
    assert counts["3x4-4-2"] == 10
    assert counts["2x3-2"] == len(sizes) > 10


def test_passes_for_precision_end_when_the_time_is_up(tmp_path, invented):
    """Each made-up pass takes a second: with 15 seconds there are 15 at most."""
    noted = invented(noisy_until(1000))
    request = replace(REQUEST, passes=10, precision=0.001, max_time=15.0)
    folder = measured(tmp_path / "run", request)
    assert 10 < len(noted) <= 15
    left = session.cells_left(folder, request, plan.Plan(PAIR))
    assert left == 2
    more = replace(request, max_time=3.0)  # a new session has time of its own
    measure_passes(folder, more, plan.Plan(PAIR))
    assert 16 <= len(noted) <= 18


def test_a_finished_run_that_is_extended_pays_for_having_looked(claimed, invented):
    """Passes that are added in view of results widen the intervals; finishing a run does not."""
    invented(lambda cell, number: 1e-6)
    claimed.change_request(replace(REQUEST, passes=1))
    measure_passes(claimed, claimed.request, claimed.plan)
    assert results.load(claimed.path).level == 0.95
    claimed.lock.release()
    again = resume_folder(claimed.path)
    again.change_request(replace(REQUEST, passes=3))
    measure_passes(again, again.request, again.plan)
    assert results.load(claimed.path).level == 0.97


def test_a_limit_on_time_also_ends_the_passes_asked_for(claimed, invented):
    """One pass is made in any case."""
    noted = invented(lambda cell, number: 1e-6)
    measure_passes(claimed, replace(REQUEST, passes=50, max_time=0.5), plan.Plan(PAIR))
    assert len(noted) == 1


# --- killed at any moment -------------------------------------------------------------------

KILLS = int(os.environ.get("FORWARDBENCH_KILLS", "6"))
"""CI makes a few; for a release make 50."""
TINY = ["--shape", "1x2-3", "--implementation", "matmul", "--implementation", "python_loops"]


@pytest.mark.parametrize("moment", range(KILLS))
def test_a_killed_run_loses_no_finished_pass(tmp_path, moment):
    """SIGKILL at any time: what was there stays, byte for byte, and resuming completes it.

    Every other kill comes shortly after one of the first three passes has ended.
    """
    path = tmp_path / "run"
    command = [sys.executable, "-m", "forwardbench", "run"]
    passes = ["--passes", "4"]
    started = time.monotonic()
    victim = subprocess.Popen(
        [*command, *TINY, *passes, "--output", str(path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if moment % 2:
        waited_for = path / f"pass-{1 + moment // 2 % 3:03d}.json"
        while not waited_for.exists():
            time.sleep(0.01)
        time.sleep(0.5 * random.Random(moment).random())
    else:
        # Spread over a run of about nine seconds, wherever a machine then is in it.
        time.sleep(max(0.0, 0.3 + 8.7 * (moment + 0.5) / KILLS - (time.monotonic() - started)))
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    kept = {file.name: file.read_bytes() for file in path.glob("pass-*.json")}
    assert kept or moment % 2 == 0
    for text in kept.values():
        json.loads(text)
    if path.exists():
        json.loads((path / "run.json").read_text())
        again = [*command, "--resume", str(path)]
    else:  # it was killed before it had begun
        again = [*command, *TINY, *passes, "--output", str(path)]
    done = subprocess.run(again, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, text in kept.items():
        assert (path / name).read_bytes() == text
    assert len(list(path.glob("pass-*.json"))) == 4
    assert not list(path.glob("*.part"))
    assert set(results.load(path).cells["status"]) == {"measured"}
    shutil.rmtree(path)
