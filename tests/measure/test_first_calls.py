"""First calls: each in a fresh process, in laps, kept one by one, and never mixed or repeated."""

import errno
import json
import os
from dataclasses import replace
from functools import partial

import pytest

from builders.contenders import SLEEPS
from builders.requests import REQUEST, VERIFIED, naming_again, planned
from builders.waiting import PATIENCE
from forwardbench import results
from forwardbench.commands.shared.progress import announce
from forwardbench.errors import UserError
from forwardbench.measure import first_calls, plan
from forwardbench.measure.first_calls import CACHES, time_first_call
from forwardbench.measure.request import make_request, with_effort
from forwardbench.measure.run_folder import claim_folder, resume_folder
from forwardbench.measure.run_options import RunOptions
from forwardbench.measure.session import Observer, first_calls_left, measure_first_calls
from forwardbench.processes import ChildError
from forwardbench.records import FIRST_CALLS_FILE, FirstCall, FirstCalls

ASKED = replace(REQUEST, passes=1, first_calls=3)


@pytest.fixture
def sleeps(tmp_path):
    """Write an implementation whose first call takes more than 0.12 s."""
    path = tmp_path / "sleeps.py"
    path.write_text(SLEEPS)
    return path


@pytest.fixture
def made(sleeps):
    """A plan with two cells that compile, their controls, and two that do not."""
    cells = [*planned(sleeps), *planned(sleeps, control=True), *planned("matmul")]
    return plan.Plan(cells, starting_seconds={"sleeps": 2.0})


@pytest.fixture
def claimed(tmp_path, made, sleeps):
    """A run's folder with that plan."""
    contenders = {**ASKED.contenders, "sleeps": str(sleeps)}
    folder = claim_folder(tmp_path / "run", replace(ASKED, contenders=contenders))
    folder.record_plan(VERIFIED, made)
    return folder


class Noted(Observer):
    """Stands in for the child and the clock: notes what is called, each taking two seconds."""

    def __init__(self, end=None, failing=()):
        self.called, self.seconds, self.announced, self.safe = [], 0.0, [], 0
        self._end, self._failing = end, failing

    def __call__(self, cell):
        """Make one first call."""
        if len(self.called) == self._end:
            raise KeyboardInterrupt
        self.called.append(str(cell.case))
        self.seconds += 2.0
        if str(cell.case) in self._failing:
            raise ChildError("exited with status 3")
        return FirstCall(0.5, 1.0 + len(self.called))

    def clock(self):
        """Seconds that all of it took."""
        return self.seconds

    def begin_first_calls(self, count):
        """Note what is to come."""
        self.announced.append(count)

    def first_call(self):
        """Count what is safe."""
        self.safe += 1


def measure(folder, noted, made, *, request=ASKED, seconds=None):
    """Measure with a stand-in."""
    measure_first_calls(folder, request, made, noted, seconds, noted, noted.clock)


# --- laps, and what is kept ----------------------------------------------------------------


def test_each_cell_is_called_once_a_lap_and_controls_never(claimed, made):
    """Three laps of two cells, in an order that the seed determines."""
    noted = Noted()
    measure(claimed, noted, made)
    laps = [noted.called[start : start + 2] for start in (0, 2, 4)]
    assert [sorted(lap) for lap in laps] == [["2x3-2", "3x4-4-2"]] * 3
    assert (noted.announced, noted.safe) == ([6], 6)
    kept = FirstCalls.read(claimed.path)
    assert sorted(call.seconds for calls in kept.samples.values() for call in calls) == [
        2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
    ]  # fmt: skip
    orders = set()
    for seed in range(20):
        cells = first_calls.cells_that_compile(made.measured)
        orders.add(tuple(str(cell) for cell in first_calls.laps(cells, FirstCalls(), 1, seed)))
    assert len(orders) == 2


@pytest.mark.parametrize("end", range(6))
def test_an_interrupted_stage_goes_on_as_it_would_have(claimed, made, sleeps, end, tmp_path):
    """Whatever was timed is kept, is not timed again, and the order is the one of a whole run."""
    whole, first, second = Noted(), Noted(end), Noted()
    measure(claim_folder(tmp_path / "whole", ASKED), whole, made)
    with pytest.raises(KeyboardInterrupt):
        measure(claimed, first, made)
    assert first.safe == end
    assert len(first_calls_left(claimed, ASKED, made)) == 6 - end
    claimed.lock.release()
    again = resume_folder(claimed.path, naming_again(sleeps))
    measure(again, second, made)
    assert first.called + second.called == whole.called
    assert first_calls_left(again, ASKED, made) == []


def test_a_first_call_that_fails_costs_only_its_own_cell(claimed, made):
    """It is tried once, its reason is kept, and the other cell has all of its samples."""
    noted = Noted(failing=("2x3-2",))
    measure(claimed, noted, made)
    assert sorted(noted.called) == ["2x3-2", *["3x4-4-2"] * 3]
    kept = FirstCalls.read(claimed.path)
    assert {str(cell.case): reason for cell, reason in kept.failures.items()} == {
        "2x3-2": "exited with status 3"
    }
    measure(claimed, second := Noted(), made, request=replace(ASKED, first_calls=4))
    assert second.called == ["3x4-4-2"]


def test_what_failed_in_a_pass_is_not_called(claimed, made):
    """A cell without a time has nothing that could be paid for."""
    failed = {str(made.measured[0].cell): "crashed"}
    document = {"benchmarks": [], "failures": failed, "meanwhile": {"seconds": 1.0}}
    (claimed.path / "pass-001.json").write_text(json.dumps(document))
    measure(claimed, noted := Noted(), made)
    assert noted.called == ["3x4-4-2"] * 3


def test_no_first_call_is_begun_that_would_end_after_the_limit(claimed, made):
    """Each is expected to take two seconds: five are enough for two, and less for none."""
    for seconds, count in ((0.0, 0), (1.9, 0), (5.0, 2)):
        measure(claimed, noted := Noted(), made, seconds=seconds)
        assert len(noted.called) == count
    assert len(first_calls_left(claimed, ASKED, made)) == 4


def test_none_are_timed_where_none_are_asked_for(claimed, made):
    """And no file is written."""
    measure(claimed, noted := Noted(), made, request=replace(ASKED, first_calls=0))
    assert noted.called == noted.announced == []
    assert not (claimed.path / FIRST_CALLS_FILE).exists()


def test_a_disk_that_fills_up_is_one_line(claimed, made, monkeypatch):
    """What was measured before is safe, and it says how to see it."""

    def full(made):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(claimed, "write_first_calls", full)
    with pytest.raises(UserError, match=r"cannot write first calls .* No space left .* is safe"):
        measure(claimed, Noted(), made)


def test_first_calls_survive_a_trip_through_a_file(claimed, made):
    """Samples in their order, and failures."""
    measure(claimed, Noted(failing=("2x3-2",)), made)
    kept = FirstCalls.read(claimed.path)
    assert FirstCalls.from_json(json.loads(json.dumps(kept.to_json()))) == kept
    loaded = results.load(claimed.path).first_calls
    assert loaded["seconds"].count() == 3
    assert loaded.loc[loaded["seconds"].isna(), "reason"].tolist() == ["exited with status 3"]


HOSTILE = [
    '{"samples": [',
    "[]",
    "{}",
    '{"samples": 1, "failures": []}',
    '{"samples": [{"cell": {}, "import_seconds": 1, "seconds": 1}], "failures": []}',
    '{"samples": [], "failures": [{"cell": 3, "reason": "x"}]}',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_torn_or_foreign_file_is_named(claimed, sleeps, text):
    """By what resumes the run and by what reads it."""
    (claimed.path / FIRST_CALLS_FILE).write_text(text)
    claimed.lock.release()
    for read in (partial(resume_folder, options=naming_again(sleeps)), results.load):
        with pytest.raises(UserError, match=r"first-calls\.json is (torn|not of a form)"):
            read(claimed.path)


@pytest.mark.parametrize("seconds", [0, -1, "1", True, None, 1e300, "Infinity", "NaN"])
def test_a_time_that_cannot_be_is_refused(claimed, made, seconds):
    """A first call of no time, of no number, or of longer than anybody lives."""
    measure(claimed, Noted(), made)
    path = claimed.path / FIRST_CALLS_FILE
    document = json.loads(path.read_text())
    document["samples"][0]["seconds"] = seconds
    text = json.dumps(document)
    for word in ("Infinity", "NaN"):
        text = text.replace(f'"{word}"', word)
    path.write_text(text)
    with pytest.raises(UserError, match=r"first-calls\.json is not of a form"):
        results.load(claimed.path)


def test_what_a_killed_process_left_half_written_is_cleared_away(claimed, sleeps):
    """A temporary file holds no first call."""
    (claimed.path / f"{FIRST_CALLS_FILE}.part").write_text('{"samples": [')
    claimed.lock.release()
    assert resume_folder(claimed.path, naming_again(sleeps)).first_calls() == FirstCalls()
    assert not list(claimed.path.glob("*.part"))


# --- one first call ---------------------------------------------------------------------------


def test_a_first_call_is_timed_with_its_preparation(sleeps):
    """0.02 s to prepare and 0.1 s to compile, twice: each process begins from nothing."""
    cell = planned(sleeps)[0].cell
    for _ in range(2):
        call = time_first_call(cell)
        assert call.seconds >= 0.12
        assert call.import_seconds > 0


def test_no_compiler_finds_what_it_compiled_before(tmp_path):
    """Every cache on disk is an empty folder that is gone afterwards, and threads are confined."""
    path = tmp_path / "looks.py"
    path.write_text(
        "import json, os\nCOMPILES = True\n"
        "def forward(x, layers):\n"
        f"    names = {[*CACHES, 'JAX_ENABLE_COMPILATION_CACHE', 'OMP_NUM_THREADS']}\n"
        "    found = {name: os.environ[name] for name in names}\n"
        f"    found['there'] = [os.listdir(found[name]) for name in {CACHES}]\n"
        f"    open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(found))\n"
        "    raise SystemExit('seen')\n"
    )
    with pytest.raises(ChildError, match="seen"):
        time_first_call(planned(path)[0].cell)
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["there"] == [[]] * len(CACHES)
    assert not any(os.path.exists(seen[name]) for name in CACHES)  # noqa: PTH110
    assert seen["JAX_ENABLE_COMPILATION_CACHE"] == "false"
    assert seen["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("os._exit(3)", "exited with status 3"),
        ("time.sleep(60)", "did not finish within 1 s and was ended"),
        ("return x", r"shape \(3, 4\) instead of \(3, 2\)"),
        ("os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
def test_whatever_a_first_call_does_is_one_reason(bad, deed, reason):
    """Raising, leaving, hanging, being wrong and being killed."""
    _, fails = planned(bad("fails", deed))
    limit = 1.0 if "sleep" in deed else PATIENCE
    with pytest.raises(ChildError, match=reason):
        time_first_call(fails.cell, stall_seconds=limit)


def test_a_rehearsal_says_how_long_a_process_takes(sleeps, bad):
    """For each contender that compiles; one that fails is left to its own cells."""
    fails = bad("fails", "raise ValueError('no')")
    fails.write_text("COMPILES = True\nraise ValueError('no')\n")
    spent = first_calls.rehearse([*planned(sleeps), *planned(fails), *planned("matmul")])
    assert set(spent) == {"sleeps"}
    assert spent["sleeps"] > 0.12


# --- what is asked for and what is said ---------------------------------------------------------


def test_the_announcement_says_how_many_and_how_long(claimed, made):
    """Two seconds each; with a limit on time, as far as that goes."""
    left = first_calls_left(claimed, ASKED, made)
    said = list(announce(ASKED, made, 0, left))[1]
    assert said == (
        "Then 6 first calls of sleeps, each in a fresh process: about 12 s (--first-calls 0 "
        "leaves them out)"
    )
    limited = list(announce(replace(ASKED, max_time=5.0), made, 0, left))[1]
    assert "about 12 s, as far as 5 s allow" in limited
    unknown = replace(made, starting_seconds={})
    assert "more than 0 s" in list(announce(ASKED, unknown, 0, left))[1]


def test_the_number_is_checked_and_may_change_when_resuming():
    """None is 0, and less is refused."""
    assert make_request(RunOptions.of(first_calls=2)).first_calls == 2
    assert with_effort(ASKED, RunOptions.of()).first_calls == 3
    assert with_effort(ASKED, RunOptions.of(first_calls=0)).first_calls == 0
    with pytest.raises(UserError, match=r"--first-calls must be 0 \(none\) to 1000, not -1"):
        RunOptions.of(first_calls=-1)


@pytest.mark.parametrize("value", ["3", 2.5, -1, None, True])
def test_a_foreign_number_is_refused(claimed, value):
    """In run.json, as any other number there."""
    claimed.document["request"]["first_calls"] = value
    claimed.write()
    claimed.lock.release()
    with pytest.raises(UserError):
        resume_folder(claimed.path).request  # noqa: B018
