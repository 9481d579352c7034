"""The options of a run, each written once: its default, its help and its check.

The command line, `forwardbench.run`, ``--resume``, the request that a run's folder keeps, and what
the hosts of a cluster are asked for are all made from the fields of these classes. A new option is
a field here, and the code that does what it asks for.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from forwardbench import workloads
from forwardbench.cases import DTYPES
from forwardbench.errors import UserError
from forwardbench.records import DEFAULT_BASELINE, DEFAULT_WORKLOAD

DEFAULT_FAMILY = "ladder"
"""What is measured where no implementation is given, whatever else is installed."""
MOST_FIRST_CALLS = 1000
"""Each is a process of its own; nobody waits for more."""
MAX_TIME = 300.0
"""Seconds that a run with a precision to reach may take, unless told otherwise."""


@dataclass(frozen=True)
class Option:
    """What is known of an option besides its value."""

    help: str
    metavar: str = ""
    flag: str = ""
    """Its name on the command line, where that is not the field's."""
    default_words: str = ""
    """What its help says of the default."""
    reads: type = str
    """What a text from the command line is turned into."""
    check: Callable[[str, Any], None] | None = None
    """Raises `UserError` for a value that cannot be; is called with the flag and the value."""
    quick: Any = None
    """Its value under ``--quick``, unless it is given; None where that changes nothing."""
    with_resume: bool = False
    """Whether it may be given to change a run that is resumed."""
    sent_to_hosts: bool = True
    """Whether the hosts of a cluster are given it too."""
    from_python: bool = True
    """Whether it is a keyword of `forwardbench.run`."""


def option(default: Any, help_text: str, metavar: str = "", **details: Any) -> Any:
    """A field that is an option of a run; see `Option` for the details."""
    if default is not None and not isinstance(default, tuple):
        details.setdefault("reads", type(default))
    return field(default=default, metadata={"option": Option(help_text, metavar, **details)})


def must_be(what: str, accepts: Callable[[Any], bool]) -> Callable[[str, Any], None]:
    """Make a check of one value from what it must be, in words and as a function."""

    def check(flag: str, value: Any) -> None:
        if not accepts(value):
            shown = f"{value:g}" if isinstance(value, float) else f"{value}"
            raise UserError(f"{flag} must be {what}, not {shown}")

    return check


_check_seconds = must_be(
    "a number of seconds above 0",
    lambda value: 0 < value <= sys.float_info.max,  # a whole number may be beyond that
)


def _check_dtypes(flag: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in DTYPES:
            raise UserError(f"there is no dtype {name!r}: choose from {', '.join(DTYPES)}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """A class with fields that are options, checked when it is made; raises `UserError`."""

    def __post_init__(self) -> None:
        for each in options_of(type(self)):
            about, value = each.metadata["option"], getattr(self, each.name)
            if value is None and each.default is None:
                continue
            _check_type(each, value)
            if about.check is not None:
                about.check(flag_of(each), value)


_FORWARD = workloads.get(DEFAULT_WORKLOAD)
"""Whose sweeps help names; another workload has its own."""


@dataclass(frozen=True, kw_only=True)
class Selection(Options):
    """What a run compares, by names that are still to be looked up."""

    implementations: tuple[str, ...] = option(
        (DEFAULT_FAMILY,),
        "name of an implementation or a family, all, or a .py file of your own; repeatable",
        "NAME|FILE", flag="--implementation", default_words=DEFAULT_FAMILY,
    )  # fmt: skip
    sweeps: tuple[str, ...] = option(
        (), f"a list of cases: {', '.join(_FORWARD.sweeps)}; repeatable", "NAME", flag="--sweep",
        default_words=" and ".join(_FORWARD.default_sweeps),
    )  # fmt: skip
    shapes: tuple[str, ...] = option(
        (), "a case of your own, as in 64x784-128-10; repeatable", "CASE", flag="--shape"
    )
    baseline: str | None = option(
        None, "what speedups are relative to", "NAME", default_words=DEFAULT_BASELINE
    )
    dtypes: tuple[str, ...] = option(
        ("float64",), f"{' or '.join(DTYPES)}; repeatable", "DTYPE", flag="--dtype",
        default_words="float64", check=_check_dtypes,
    )  # fmt: skip
    threads: tuple[str, ...] = option(
        ("1",), "threads and CPUs of a worker; repeatable", "N|all", default_words="1"
    )


@dataclass(frozen=True, kw_only=True)
class Settings(Options):
    """How a run measures: what its folder keeps just as it was given."""

    workload: str = option(
        DEFAULT_WORKLOAD, "what is computed of each case", "NAME", default_words=DEFAULT_WORKLOAD
    )
    passes: int = option(
        10, "passes over all cells", "N", default_words="10", quick=3, with_resume=True,
        check=must_be("at least 1", lambda count: count >= 1),
    )  # fmt: skip
    limit: float = option(
        1.0, "longest single call worth measuring; above it a cell is estimated", "SECONDS",
        default_words="1", quick=0.05, check=_check_seconds,
    )  # fmt: skip
    precision: float | None = option(
        None, "go on until each speedup is known so well, as in 0.02 for 2 percent", "SHARE",
        reads=float, with_resume=True,
        check=must_be("a share between 0 and 1, as in 0.02", lambda share: 0 < share < 1),
    )  # fmt: skip
    max_time: float | None = option(
        None, f"begin no pass that would end later (default with --precision: {MAX_TIME:g})",
        "SECONDS", reads=float, with_resume=True, check=_check_seconds,
    )  # fmt: skip
    first_calls: int = option(
        3, "time the first call of what compiles in N fresh processes a cell", "N",
        default_words="3", quick=0, with_resume=True,
        check=must_be(
            f"0 (none) to {MOST_FIRST_CALLS}", lambda count: 0 <= count <= MOST_FIRST_CALLS
        ),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RunOptions(Settings, Selection):
    """What a run is asked for, with defaults in place of what was not given; see `of`."""

    quick: bool = option(False, "3 passes, a limit of 0.05 s and no first calls, unless given")
    output: str | None = option(
        None, "a new folder", "DIR", default_words="results/run-DATE-TIME", sent_to_hosts=False
    )
    scheduler: str | None = option(
        None,
        "run on every host of a Dask cluster instead, whose scheduler is at tcp://HOST:PORT",
        "ADDRESS", sent_to_hosts=False, from_python=False,
    )  # fmt: skip
    resume: str | None = option(
        None,
        "go on with a run that was interrupted; with --passes or --precision, add to one",
        "DIR", with_resume=True, sent_to_hosts=False, from_python=False,
    )  # fmt: skip
    given: frozenset[str] = field(default=frozenset(), repr=False)
    """Names of the options that were given, whatever their values are."""

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Complete what was asked for; None, an empty list and False ask for nothing.

        Raises `UserError` for a value that cannot be, and for an option that was given although
        a run is resumed that was made without it.
        """
        known = {each.name: each for each in options_of(cls)}
        for name in values:
            if name not in known:
                raise TypeError(f"there is no option {name!r}: choose from {', '.join(known)}")
        asked = {
            name: _as_texts(known[name], value)
            for name, value in values.items()
            if not _asks_for_nothing(value)
        }
        if "resume" in asked:
            _refuse_with_resume(known[name] for name in known if name in asked)
        if asked.get("quick"):
            quick = {name: each.metadata["option"].quick for name, each in known.items()}
            changed = {name: value for name, value in quick.items() if value is not None}
            return cls(**{**changed, **asked}, given=frozenset(asked))
        return cls(**asked, given=frozenset(asked))

    def changes_to_resumed(self) -> dict[str, Any]:
        """What was given that changes a run which is taken up again, by name."""
        return {
            each.name: getattr(self, each.name)
            for each in options_of(Settings)
            if each.name in self.given and each.metadata["option"].with_resume
        }

    def arguments(self) -> list[str]:
        """The arguments that ask the hosts of a cluster for the same."""
        arguments = []
        for each in options_of(type(self)):
            flag, value = flag_of(each), getattr(self, each.name)
            if each.name not in self.given or not each.metadata["option"].sent_to_hosts:
                continue
            if isinstance(value, tuple):
                arguments += [f"{flag}={item}" for item in value]
            else:
                arguments.append(flag if is_switch(each) else f"{flag}={value}")
        return arguments


def options_of(kind: type[Options]) -> Iterator[Field[Any]]:
    """The fields of a class that are options, in the order in which help lists them."""
    return (each for each in fields(kind) if "option" in each.metadata)


def flag_of(each: Field[Any]) -> str:
    """An option's name on the command line."""
    return each.metadata["option"].flag or f"--{each.name.replace('_', '-')}"


def help_of(each: Field[Any], default_words: str = "") -> str:
    """An option's help, with its default or another one."""
    about: Option = each.metadata["option"]
    default = default_words or about.default_words
    return f"{about.help} (default: {default})" if default else about.help


def is_list(each: Field[Any]) -> bool:
    """Whether an option may be given several times."""
    return isinstance(each.default, tuple)


def is_switch(each: Field[Any]) -> bool:
    """Whether an option takes no value."""
    return each.metadata["option"].reads is bool


def signature_of(kind: type[RunOptions]) -> inspect.Signature:
    """The keywords of `forwardbench.run`, with the defaults that ask for nothing."""
    parameters = []
    for each in options_of(kind):
        about: Option = each.metadata["option"]
        if not about.from_python:
            continue
        default: Any = None
        annotation = f"{about.reads.__name__} | None"
        if is_list(each):
            default, annotation = (), "Sequence[str]"
        elif is_switch(each):
            default, annotation = False, "bool"
        parameters.append(
            inspect.Parameter(
                each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )
        )
    return inspect.Signature(parameters)


def describe_keywords(kind: type[RunOptions]) -> str:
    """A line on each keyword of `forwardbench.run`."""
    return "\n".join(
        f"{each.name}: {help_of(each).replace('; repeatable', '')}"
        for each in options_of(kind)
        if each.metadata["option"].from_python
    )


def _asks_for_nothing(value: object) -> bool:
    empty = isinstance(value, list | tuple) and not value
    return value is None or value is False or empty


def _as_texts(each: Field[Any], value: Any) -> Any:
    """A value as it is kept; a path, say, as a text."""
    if is_list(each):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise UserError(f"{each.name} is a list: write {each.name}=[{value!r}]")
        return tuple(str(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _check_type(each: Field[Any], value: Any) -> None:
    reads = each.metadata["option"].reads
    words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
    accepted = (int, float) if reads is float else tuple if is_list(each) else reads
    if not isinstance(value, accepted) or (isinstance(value, bool) and reads is not bool):
        raise UserError(f"{each.name} is {words[reads]}, not {value!r}")


def _refuse_with_resume(given: Iterable[Field[Any]]) -> None:
    for each in given:
        if not each.metadata["option"].with_resume:
            raise UserError(
                "--resume goes on with what the run was asked for: leave out "
                f"{flag_of(each)}, or start a new run"
            )
