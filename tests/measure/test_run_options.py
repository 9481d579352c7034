"""The options of a run: written once, and used by everything that asks for a run."""

from dataclasses import dataclass, fields

import pytest

import forwardbench
from forwardbench import api, workloads
from forwardbench.cluster.hosts import arguments_of
from forwardbench.commands.main import main, make_parser
from forwardbench.commands.shared import arguments
from forwardbench.errors import UserError
from forwardbench.measure.request import Request, make_request
from forwardbench.measure.run_options import (
    RunOptions,
    Settings,
    describe_keywords,
    must_be,
    option,
    options_of,
    signature_of,
)


@dataclass(frozen=True, kw_only=True)
class WithOneMore(RunOptions):
    """The options of a run, and one that there is none of yet."""

    warmups: int = option(
        2, "calls before the first that is timed", "N", default_words="2", quick=1,
        check=must_be("at least 0", lambda count: count >= 0),
    )  # fmt: skip


@pytest.fixture
def one_more(monkeypatch):
    """The same program, with one option more."""
    for module in (arguments, api):
        monkeypatch.setattr(module, "RunOptions", WithOneMore)


def test_a_new_option_is_one_of_the_command_line(one_more, capsys):
    """It has its name, its help, its default and its check."""
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "--warmups N calls before the first that is timed (default: 2)" in said
    parsed = make_parser().parse_args(["run", "--warmups", "7"])
    options = arguments.run_options(parsed)
    assert isinstance(options, WithOneMore)
    assert options.warmups == 7
    assert main(["run", "--warmups", "-1"]) == 2
    assert capsys.readouterr().err == "forwardbench: --warmups must be at least 0, not -1\n"


def test_a_new_option_is_a_keyword_of_run(one_more):
    """With the same check, in the signature and in the help."""
    with pytest.raises(UserError, match="--warmups must be at least 0, not -1"):
        forwardbench.run(warmups=-1)
    with pytest.raises(UserError, match="warmups is a whole number, not 'two'"):
        forwardbench.run(warmups="two")
    assert "warmups" in signature_of(WithOneMore).parameters
    assert "\nwarmups: calls before" in describe_keywords(WithOneMore)


def test_a_new_option_is_refused_with_resume(one_more, capsys):
    """Unless its definition says that it may change a run that is taken up again."""
    assert main(["run", "--resume", "x", "--warmups", "1"]) == 2
    assert "leave out --warmups, or start a new run" in capsys.readouterr().err


def test_a_new_option_reaches_the_hosts_of_a_cluster():
    """Where it was given; a default is each host's own."""
    assert arguments_of(WithOneMore.of(warmups=0))[0] == ["run", "--warmups=0"]
    assert arguments_of(WithOneMore.of(quick=True))[0] == ["run", "--quick"]


def test_quick_changes_what_was_not_given():
    """By what the definitions say of it."""
    assert WithOneMore.of(quick=True).warmups == 1
    assert WithOneMore.of(quick=True, warmups=2).warmups == 2
    quick = RunOptions.of(quick=True, limit=0.5)
    assert (quick.passes, quick.visits, quick.limit, quick.first_calls) == (7, 1, 0.5, 0)
    plain = RunOptions.of()
    assert (plain.passes, plain.visits, plain.limit, plain.first_calls) == (10, 2, 0.5, 3)


def test_a_runs_folder_keeps_every_setting(monkeypatch):
    """What `run.json` has of a request is read back as it was."""
    forward = workloads.get("forward")
    monkeypatch.setattr(workloads, "get", lambda name: forward)
    asked = {"passes": 11, "visits": 3, "limit": 0.3, "precision": 0.1, "max_time": 9.0,
             "first_calls": 1, "workload": "another"}  # fmt: skip
    assert set(asked) == {each.name for each in options_of(Settings)}
    request = make_request(RunOptions.of(**asked))
    kept = request.to_json()
    assert {name: kept[name] for name in asked} == asked
    assert Request.from_json(kept) == request


def test_only_how_long_to_measure_may_change_in_a_run_that_is_resumed():
    """The definitions say which options these are."""
    allowed = {"passes": 4, "precision": 0.2, "max_time": 3.0, "first_calls": 2}
    assert RunOptions.of(resume="x", **allowed).changes_to_resumed() == allowed
    others = {each.name: each for each in options_of(RunOptions) if each.name not in allowed}
    del others["resume"]
    del others["implementations"]  # which have to be those of the run
    assert "scheduler" in others
    for name, each in others.items():
        value = True if each.default is False else ["x"] if isinstance(each.default, tuple) else "x"
        with pytest.raises(
            UserError, match=r"--resume goes on .*: leave out --\S+, or start a new"
        ):
            RunOptions.of(resume="x", **{name: value})


def test_what_is_not_given_asks_for_nothing():
    """None, an empty list and False, as a parser or a caller has them who was told nothing."""
    nothing = {each.name: None for each in options_of(RunOptions)}
    assert RunOptions.of(**nothing) == RunOptions.of(sweeps=[], quick=False) == RunOptions()
    assert RunOptions.of(passes=10).given == {"passes"}


def test_every_option_says_what_it_is_for():
    """Each has a help text, and each that takes a value has a name for it."""
    for each in options_of(RunOptions):
        about = each.metadata["option"]
        assert about.help
        assert bool(about.metavar) == (about.reads is not bool)
    assert {each.name for each in fields(RunOptions)} - {
        each.name for each in options_of(RunOptions)
    } == {"given"}
