"""Commands that messages suggest can be pasted, whatever the run's folder is called."""

import errno
import os
import shlex
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from builders.requests import REQUEST, VERIFIED, planned
from forwardbench.commands.main import main, make_parser
from forwardbench.commands.shared import carry_out
from forwardbench.commands.shared.presentation import present
from forwardbench.errors import UserError
from forwardbench.measure import first_calls, session
from forwardbench.measure.plan import Plan
from forwardbench.measure.run_folder import claim_folder
from forwardbench.records import FirstCall, FirstCalls

NAMES = ["-run", "my run", "it's", 'a "run"', "$(touch x) `y`; z", "é", "#run"]


def suggested(text):
    """The arguments of each command that a text suggests, as a shell would read them."""
    lines = [line for line in text.splitlines() if ": forwardbench " in line]
    return [shlex.split(line.rpartition(": forwardbench ")[2]) for line in lines]


def target_of(arguments):
    """The run that arguments of the command name; they must be ones that it understands."""
    options = make_parser().parse_args(
        ["300" if argument == "SECONDS" else argument for argument in arguments]
    )
    return os.path.normpath(getattr(options, "results", None) or options.resume)


@pytest.fixture
def claimed(tmp_path, monkeypatch):
    """Make a run's folder of a name in the current folder."""
    monkeypatch.chdir(tmp_path)

    def claim(name):
        folder = claim_folder(tmp_path / name, REQUEST)
        folder.record_plan(VERIFIED, Plan(planned("matmul")))
        folder.path = folder.path.relative_to(tmp_path)
        return folder

    return claim


@pytest.mark.parametrize("name", NAMES)
def test_how_to_go_on_can_be_pasted(name, claimed, capsys, monkeypatch):
    """After Ctrl-C, and after a limit on time: the same run is named."""
    folder: Any = claimed(name)
    monkeypatch.setattr(carry_out, "first_calls_left", lambda *_: ["a", "b"])
    monkeypatch.setattr(carry_out, "cells_left", lambda *_: 1)
    carry_out._interrupted(folder, REQUEST)
    plan: Any = SimpleNamespace(measured=[1, 2])
    carry_out._warn_of_time_limit(folder, replace(REQUEST, max_time=5.0), plan)
    commands = suggested(capsys.readouterr().err)
    assert [target_of(command) for command in commands] == [name] * 3
    assert commands[1][-2:] == ["--max-time", "SECONDS"]


@pytest.mark.parametrize("name", NAMES)
def test_how_to_see_what_is_safe_can_be_pasted(name, claimed, monkeypatch):
    """A disk that fills up in a pass, or in the first calls."""
    folder = claimed(name)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(session, "write_pass", full)
    monkeypatch.setattr(session, "run_pass", lambda *_: None)
    monkeypatch.setattr(session, "first_calls_left", lambda *_: ["one"])
    monkeypatch.setattr(folder, "first_calls", FirstCalls)
    monkeypatch.setattr(folder, "write_first_calls", full)
    with pytest.raises(UserError) as in_a_pass:
        session.measure_passes(folder, REQUEST, Plan(planned("matmul")))
    monkeypatch.setattr(
        first_calls, "laps", lambda *_: [each.cell for each in planned("matmul")[:1]]
    )
    with pytest.raises(UserError) as in_first_calls:
        session.measure_first_calls(
            folder, REQUEST, Plan(planned("matmul")), time_first_call=lambda cell: FirstCall(1, 1)
        )
    for refused in (in_a_pass, in_first_calls):
        (command,) = suggested(str(refused.value))
        assert target_of(command) == name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["my run", "it's; -x"])
def test_what_a_finished_run_suggests_can_be_pasted(
    name, write_run, ladder, capsys, monkeypatch, tmp_path
):
    """Showing it, and making more passes, which the page advises too."""
    folder = write_run(ladder, name=name)
    monkeypatch.chdir(tmp_path)
    present(folder.relative_to(tmp_path), ["svg"], show=True)
    said = capsys.readouterr()
    (show,), (more,) = suggested(said.out), suggested(said.err)
    assert (target_of(show), target_of(more)) == (name, name)
    assert main(show) == 0
