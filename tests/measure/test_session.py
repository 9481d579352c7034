"""Run folders: what is kept, what is taken up again, and what is refused."""

import json
from dataclasses import replace
from importlib import metadata

import pytest

from builders.requests import REQUEST, VERIFIED, made_up_pass, naming_again, planned
from forwardbench import results
from forwardbench.errors import UserError
from forwardbench.measure import plan, session
from forwardbench.measure.environment import describe_machine
from forwardbench.measure.fingerprint import changes, fingerprint
from forwardbench.measure.passes import run_pass, write_pass
from forwardbench.measure.run_folder import claim_folder, resume_folder
from forwardbench.measure.session import Observer, measure_passes


class Passes(Observer):
    """Remembers the passes that ended."""

    def __init__(self):
        self.ended = []

    def end(self, number):
        """Note the pass."""
        self.ended.append(number)


# --- a whole run -------------------------------------------------------------------------


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert threads == {1}
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
    real = run_pass

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
    measure_passes(taken_up, taken_up.request, taken_up.plan, passes)
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
    write_pass(claimed.path, 1, result)
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
        resume_folder(folder.path, naming_again(path))
    path.unlink()
    with pytest.raises(UserError, match="there is no implementation file"):
        resume_folder(folder.path, naming_again(path))


def test_another_version_of_a_framework_is_noticed(tmp_path, bad, monkeypatch):
    """The run's file says which it was, for each contender that names what it requires."""
    path = bad("mine", "pass")
    path.write_text('REQUIRES = "threadpoolctl"\n' + path.read_text())
    contenders = {"mine": str(path), "matmul": "matmul"}
    monkeypatch.setattr(metadata, "version", lambda package: "1.2")
    folder = claim_folder(
        tmp_path / "run", replace(REQUEST, contenders=contenders, baseline="matmul")
    )
    folder.lock.release()
    assert folder.document["environment"]["frameworks"] == {"mine": {"threadpoolctl": "1.2"}}
    assert folder.document["environment"]["on_gpu"] == []
    resume_folder(folder.path, naming_again(path)).lock.release()
    monkeypatch.setattr(
        metadata, "version", lambda name: "1.3" if name == "threadpoolctl" else "1.2"
    )
    with pytest.raises(UserError, match="threadpoolctl was 1.2 and is 1.3: start a new run"):
        resume_folder(folder.path, naming_again(path))


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
    machine = describe_machine()
    other = {**machine, "cpu": {**machine["cpu"], "hz_actual": (1, 0)}}
    assert fingerprint(REQUEST.contenders, machine) == fingerprint(REQUEST.contenders, other)


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
