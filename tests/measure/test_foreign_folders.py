"""Folders of runs from elsewhere: their files are data, and decide nothing that is run."""

import json
import os
import shlex
from dataclasses import replace

import pytest

from builders.command_line import run
from builders.contenders import write_contender
from builders.requests import (
    REQUEST,
    SMALL,
    VERIFIED,
    made_up_pass,
    naming_again,
    planned,
)
from forwardbench.commands.main import main
from forwardbench.errors import UserError
from forwardbench.measure import plan, session
from forwardbench.measure.passes import write_pass
from forwardbench.measure.run_folder import claim_folder, resume_folder
from forwardbench.records import FirstCall, FirstCalls
from forwardbench.verification.verify import Verdict

PAIR = [*planned("python_loops"), *planned("matmul")]


class Planter:
    """Writes files that leave a mark when they are imported."""

    def __init__(self, folder):
        self.folder, self.mark = folder, folder / "imported"

    def __call__(self, name="evil", folder=None):
        """Write one, by name, and return its path."""
        path = write_contender((folder or self.folder) / f"{name}.py", "pass")
        path.write_text(f"open({str(self.mark)!r}, 'w').close()\n{path.read_text()}")
        return path


@pytest.fixture
def planted(tmp_path):
    """Write files that must not be imported, in the folder of a run or beside it."""
    return Planter(tmp_path)


@pytest.fixture
def received(tmp_path):
    """Make the folder of a run, ready to be resumed here, whoever made it."""

    def make(request=REQUEST, cells=PAIR, skipped=(), verdicts=VERIFIED):
        folder = claim_folder(tmp_path / "run", request)
        folder.record_plan(verdicts, plan.Plan([*cells], [*skipped]))
        folder.lock.release()
        return folder

    return make


def refused(capsys, *arguments):
    """Run the command, which has to say no in one line, and return the line."""
    assert main(["run", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("forwardbench: ")
    assert said.count("\n") == 1
    return said


# --- what is run ----------------------------------------------------------------------------


@pytest.mark.parametrize("as_name", ["matmul", "evil"])
@pytest.mark.parametrize("is_left_out", [False, True])
def test_a_cell_that_names_another_file_is_refused(received, planted, capsys, as_name, is_left_out):
    """Under a name of the suite or its own, measured or left out: the request decides alone."""
    (cell, *_) = planned(planted())
    cell = replace(cell, cell=replace(cell.cell, implementation=as_name))
    skipped = [plan.Skipped(cell.cell, "skipped", "slow")] if is_left_out else []
    folder = received(cells=PAIR if is_left_out else [*PAIR, cell], skipped=skipped)
    said = refused(capsys, "--resume", folder.path)
    assert "run.json is not of a form that forwardbench writes (ValueError: the cell" in said
    assert not planted.mark.exists()


@pytest.mark.parametrize(
    "change",
    [{"sweep": "square"}, {"threads": 2}, {"workload": "another"},
     {"case": replace(SMALL.cases[0], dtype="float32")},
     {"case": replace(SMALL.cases[0], batch=10**8)}],
    ids=str,
)  # fmt: skip
def test_a_cell_that_the_request_does_not_have_is_refused(received, change):
    """Whatever is different about it."""
    strange = replace(PAIR[0], cell=replace(PAIR[0].cell, **change))
    folder = received(cells=[*PAIR, strange])
    with pytest.raises(UserError, match="which is none of its request's cells"):
        resume_folder(folder.path)


def test_a_cell_comes_once(received):
    """Measured twice, it would be timed twice under one name."""
    folder = received(cells=[*PAIR, PAIR[0]])
    with pytest.raises(UserError, match="or is there twice"):
        resume_folder(folder.path)


def test_a_plan_comes_back_as_it_was(received):
    """Measured cells, controls, and what is left out, each with all that belongs to it."""
    control = replace(PAIR[0], cell=replace(PAIR[0].cell, control=True), first_seconds=0.25)
    skipped = plan.Skipped(PAIR[1].cell, "skipped", "took too long", (2.0, 1.0, None))
    made = plan.Plan([PAIR[0], control, *PAIR[2:]], [skipped], [{"threads": 1}], 0.5)
    folder = received()
    folder.record_plan(VERIFIED, made)
    assert resume_folder(folder.path).plan == made


@pytest.mark.parametrize(
    ("contenders", "baseline"),
    [
        ({"matmul": "python_loops"}, "matmul"),
        ({"mine": "matmul"}, "mine"),
        ({"matmul": "{evil}"}, "matmul"),
        ({"evil": "evil.py"}, "evil"),
        ({"evil": "{folder}/../{folder_name}/evil.py"}, "evil"),
        ({"evil": "{evil}\n"}, "evil"),
        ({"evil": ["{evil}"]}, "evil"),
        ({"evil": "/" + "a/" * 3000 + "evil.py"}, "evil"),
        ({"evil (control)": "{folder}/evil (control).py"}, "evil (control)"),
        ({"matmul": "matmul"}, "evil"),
        (["matmul"], "matmul"),
    ],
)
def test_a_contender_has_the_name_of_its_file(received, planted, capsys, contenders, baseline):
    """A rung under another name, a file under another or a relative one: one line."""
    evil = planted()
    text = json.dumps(contenders).replace("{evil}", str(evil))
    text = text.replace("{folder}", str(evil.parent)).replace("{folder_name}", evil.parent.name)
    folder = received()
    folder.document["request"] |= {"contenders": json.loads(text), "baseline": baseline}
    folder.write()
    said = refused(capsys, "--resume", folder.path, "--implementation", evil)
    assert "run.json is not of a form that forwardbench writes" in said
    assert not planted.mark.exists()


@pytest.mark.parametrize("inside", [False, True])
def test_a_file_of_ones_own_is_run_only_if_it_is_named_again(
    received, planted, capsys, inside, tmp_path
):
    """Its fingerprint is right, and its folder is not trusted: one line with the command."""
    place = tmp_path / "a place"
    place.mkdir()
    mine = planted("mine", place)
    request = replace(REQUEST, contenders={"mine": str(mine), "matmul": "matmul"}, baseline="mine")
    folder = received(request, [*planned(mine), *planned("matmul")])
    if inside:
        mine = mine.rename(folder.path / "mine.py")
        folder.document["request"]["contenders"]["mine"] = str(mine)
        cells = [*planned(mine), *planned("matmul")]
        folder.record_plan(VERIFIED, plan.Plan(cells))
    said = refused(capsys, "--resume", folder.path, "--passes", 3)
    command = shlex.join(
        ["forwardbench", "run", "--resume", str(folder.path), "--implementation", str(mine)]
    )
    assert said == (
        f"forwardbench: {folder.path} is a run of {mine}: forwardbench runs a file that is not "
        f"its own only if you name it again: {command} --passes=3\n"
    )
    assert not planted.mark.exists()
    resume_folder(folder.path, naming_again(mine)).lock.release()
    assert not planted.mark.exists()  # opening a folder imports nothing


def test_only_files_of_the_run_can_be_named_again(received, planted, capsys):
    """Another file, another rung, and another file of the same name."""
    folder = received()
    for other in (planted(), "einsum", planted("matmul")):
        said = refused(capsys, "--resume", folder.path, "--implementation", other)
        assert "--resume goes on with what the run was asked for, and " in said
        assert f"{other} is not in it: leave it out, or start a new run" in said
    resume_folder(folder.path, naming_again("matmul")).lock.release()
    assert not planted.mark.exists()


def test_a_file_that_is_named_again_must_be_what_it_was(received, planted, capsys):
    """The passes before and after would not compare."""
    mine = planted("mine")
    request = replace(REQUEST, contenders={"mine": str(mine)}, baseline="mine")
    folder = received(request, planned(mine))
    mine.write_text(mine.read_text() + "#")
    said = refused(capsys, "--resume", folder.path, "--implementation", mine)
    assert "the file of mine was code " in said
    assert not planted.mark.exists()


@pytest.mark.parametrize("name", ["../evil", "evil", "{evil}", "os", "", ["evil"], {"a": 1}, 3])
def test_a_workload_is_one_that_is_registered(received, planted, capsys, name, monkeypatch):
    """A path or the name of a file in the current folder is none."""
    evil = planted()
    monkeypatch.chdir(evil.parent)
    folder = received()
    name = str(evil) if name == "{evil}" else name
    folder.document["request"]["workload"] = name
    folder.write()
    said = refused(capsys, "--resume", folder.path)
    assert "there is no workload" in said or "is not of a form" in said
    assert not planted.mark.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"dtypes": ["float16"]}, "dtypes ('float16',)"),
     ({"dtypes": ["float64", "float64"]}, "twice the same in ('float64', 'float64')"),
     ({"threads": [0]}, "threads (0,)"), ({"threads": ["1"]}, "threads ('1',)"),
     ({"threads": [1, 1]}, "twice the same in (1, 1)"),
     ({"threads": [10**9]}, "--threads '1000000000' is not possible"),
     ({"sweeps": {"shapes": ["99999999x9999999-1"]}}, "99999999x9999999-1 needs about "),
     ({"sweeps": {"shapes": "4x4-4"}}, "run.json is not of a form")],
    ids=str,
)  # fmt: skip
def test_a_request_that_nobody_can_make_is_refused(received, capsys, change, message):
    """Neither what is no thread count, nor what this machine cannot hold."""
    folder = received()
    folder.document["request"] |= change
    folder.write()
    assert message in refused(capsys, "--resume", folder.path)


def test_words_from_a_folder_stay_in_one_line(received, capsys):
    """A terminal does not get what a fingerprint, a reason or a format wants to tell it."""
    folder = received()
    folder.document["fingerprint"]["NumPy"] = "\x1b[31m1\n2" + "a" * 5000
    folder.document["fingerprint"]["x\ny"] = "z"
    folder.write()
    said = refused(capsys, "--resume", folder.path)
    assert "NumPy was ?[31m1 2aaa" in said
    assert "x y was z and is not there" in said
    assert len(said) < 2000
    folder.document["format"] = "3\x1b[31m\n"
    folder.write()
    assert "(format 3?[31m, not 2)" in refused(capsys, "--resume", folder.path)


def test_what_is_nested_deep_is_one_line(received, capsys):
    """Too deep to be read, or to be written again."""
    folder = received()
    text = json.dumps(folder.document)
    (folder.path / "run.json").write_text(
        text.replace('"finished"', f'"deep": {"[" * 100_000}{"]" * 100_000}, "finished"', 1)
    )
    refused(capsys, "--resume", folder.path)
    for _ in range(5000):
        folder.document["deep"] = [folder.document.get("deep")]
    with pytest.raises(UserError, match="run.json is not of a form"):
        folder.write()


# --- verified again -------------------------------------------------------------------------


def test_verdicts_are_not_read_from_the_file(received, monkeypatch):
    """What is measured is verified again; what is not verified any more is rejected."""
    control = replace(PAIR[2], cell=replace(PAIR[2].cell, control=True))
    folder = resume_folder(received(cells=[*PAIR, control]).path)
    asked = []

    def verify_all(references, workload):
        asked.extend(references)
        yield Verdict("python_loops", "verified", checks=7)
        yield Verdict("matmul", "rejected", "wrong", 1)

    monkeypatch.setattr(session, "verify_all", verify_all)
    shown = []
    made = session.verify_and_plan(folder, folder.request, shown.append)
    assert asked == ["python_loops", "matmul"]
    assert [verdict.status for verdict in shown] == ["verified", "rejected"]
    assert made.measured == PAIR[:2]
    assert made.skipped == [
        plan.Skipped(each.cell, "rejected", "wrong") for each in (*PAIR[2:], control)
    ]
    folder.lock.release()
    again = resume_folder(folder.path)
    assert again.plan == made
    assert again.verdicts == shown


def test_what_is_left_out_is_not_verified_again(received, monkeypatch):
    """It is not run, so what was found stays."""
    skipped = [plan.Skipped(each.cell, "rejected", "wrong") for each in PAIR[2:]]
    verdicts = {**VERIFIED, "matmul": Verdict("matmul", "rejected", "wrong")}
    folder = resume_folder(received(cells=PAIR[:2], skipped=skipped, verdicts=verdicts).path)
    monkeypatch.setattr(session, "verify_all", lambda references, workload: [
        Verdict(reference, "verified") for reference in references
    ])  # fmt: skip
    session.verify_and_plan(folder, folder.request, lambda verdict: None)
    assert folder.verdicts == list(verdicts.values())


@pytest.mark.slow
def test_a_wrong_implementation_that_a_folder_calls_verified_is_rejected(
    received, contenders, tmp_path
):
    """Named again by the user, it is still not timed."""
    zeros = contenders / "wrong" / "zeros.py"
    request = replace(REQUEST, contenders={"zeros": str(zeros)}, baseline="zeros")
    folder = received(request, planned(zeros), verdicts={"zeros": Verdict("zeros", "verified")})
    done = run("run", "--resume", folder.path, "--implementation", zeros, cwd=tmp_path)
    assert done.returncode == 1
    first, second, *rest = done.stderr.splitlines()
    assert first == f"Running your file {zeros}"
    assert second.startswith("zeros              rejected ")
    assert rest == [f"Nothing is left to measure; why is in {folder.path}/run.json"]
    assert not list(folder.path.glob("pass-*"))


@pytest.mark.slow
def test_passes_and_first_calls_that_name_a_file_import_nothing(received, planted, tmp_path):
    """A whole run goes on among such files, with a precision that looks at them."""
    folder = received(replace(REQUEST, passes=1))
    evil = [
        replace(each, cell=replace(each.cell, reference=str(planted("matmul")))) for each in PAIR
    ]
    write_pass(folder.path, 1, made_up_pass(evil, lambda cell: 1e-6))
    timed = FirstCalls({evil[0].cell: [FirstCall(0.1, 0.1)]}, {evil[1].cell: "no"})
    folder.write_first_calls(timed)
    for name in ("sitecustomize", "conftest", "numpy"):
        planted(name, folder.path)
    done = run(
        "run", "--resume", "run", "--passes", 10, "--precision", 0.9, "--max-time", 1,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert (folder.path / "report.html").exists()
    assert not planted.mark.exists()


# --- what is written ------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path):
    """A file of the user's that no folder may change."""
    path = tmp_path / "kept"
    path.write_text("as it was")
    yield path
    assert path.read_text() == "as it was"


def test_nothing_is_written_through_a_link(received, kept, monkeypatch, invented):
    """A run's files replace links that lie in their places, and temporary ones too."""
    invented(lambda cell, number: 1e-6)
    folder = received()
    run_json = (folder.path / "run.json").read_text()
    for name in ("pass-001.json.part", f"run.json.{os.getpid()}.part", "table.csv.part"):
        (folder.path / name).symlink_to(kept)
    (folder.path / "pass-001.json").symlink_to(kept.parent / "none")
    elsewhere = kept.parent / "elsewhere.json"
    elsewhere.write_text(run_json)
    (folder.path / "run.json").unlink()
    (folder.path / "run.json").symlink_to(elsewhere)
    again = resume_folder(folder.path)
    assert not [*folder.path.glob("*.part")]
    session.measure_passes(again, replace(REQUEST, passes=1), again.plan)
    assert elsewhere.read_text() == run_json
    assert not (kept.parent / "none").exists()
    assert not [path for path in folder.path.iterdir() if path.is_symlink()]


def test_a_lock_that_is_a_link_is_refused(received, kept, capsys):
    """Locking it would empty the file that it leads to."""
    folder = received()
    (folder.path / ".lock").unlink(missing_ok=True)
    (folder.path / ".lock").symlink_to(kept)
    assert ".lock is a link" in refused(capsys, "--resume", folder.path)
