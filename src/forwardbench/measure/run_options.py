"""The options of a run. Each is defined once, with its default, its help and its check.

The fields of these classes define the command line, the keywords of `forwardbench.run`, what
``--resume`` accepts, the request in a run's folder, and the arguments for the hosts of a cluster.
A new option is a field here, and the code that implements it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from forwardbench.cases import DTYPES
from forwardbench.errors import UserError
from forwardbench.files import check_name
from forwardbench.records import DEFAULT_BASELINE, DEFAULT_WORKLOAD
from forwardbench.workloads import forward  # whose sweeps help lists

DEFAULT_FAMILY = "ladder"
"""The family that a run measures if no implementation is given."""
MOST_FIRST_CALLS = 1000
"""Each first call needs its own process, so more would take too long."""
MOST_PASSES = 10_000
"""More would take days, and a run's folder from elsewhere must not ask for that."""
PASSES = 10
"""With fewer passes a run is a first look."""
MAX_TIME = 300.0
"""Default limit in seconds for a run with a precision to reach."""


@dataclass(frozen=True)
class Option:
    """The properties of an option."""

    help: str
    metavar: str = ""
    flag: str = ""
    """Its name on the command line, if it differs from the field's name."""
    default_words: str = ""
    """The default, as its help writes it."""
    reads: type = str
    """The type of its value; a text from the command line is converted to it."""
    check: Callable[[str, Any], None] | None = None
    """Called with the flag and the value; raises `UserError` if the value is not valid."""
    quick: Any = None
    """Its default under ``--quick``; None if that does not change."""
    with_resume: bool = False
    """Whether it can be given together with ``--resume``."""
    sent_to_hosts: bool = True
    """Whether it is passed to the hosts of a cluster."""
    from_python: bool = True
    """Whether it is a keyword of `forwardbench.run`."""


def option(default: Any, help_text: str, metavar: str = "", **details: Any) -> Any:
    """Make a field that is an option of a run; ``details`` are fields of `Option`."""
    if default is not None and not isinstance(default, tuple):
        details.setdefault("reads", type(default))
    return field(default=default, metadata={"option": Option(help_text, metavar, **details)})


def must_be(what: str, accepts: Callable[[Any], bool]) -> Callable[[str, Any], None]:
    """Make a check of one value: ``what`` says in words what ``accepts`` tests."""

    def check(flag: str, value: Any) -> None:
        if not accepts(value):
            shown = f"{value:g}" if isinstance(value, float) else f"{value}"
            raise UserError(f"{flag} must be {what}, not {shown}")

    return check


_check_seconds = must_be(
    "a number of seconds above 0",
    lambda value: 0 < value <= sys.float_info.max,  # an int can be larger than any float
)


def _check_dtypes(flag: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in DTYPES:
            raise UserError(f"there is no dtype {name!r}: choose from {', '.join(DTYPES)}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """A base class: fields that are options are checked on creation; raises `UserError`."""

    def __post_init__(self) -> None:
        for option_field in options_of(type(self)):
            about, value = option_field.metadata["option"], getattr(self, option_field.name)
            if value is None and option_field.default is None:
                continue
            _check_type(option_field, value)
            if about.check is not None:
                about.check(flag_of(option_field), value)


@dataclass(frozen=True, kw_only=True)
class Selection(Options):
    """What a run compares, as names that are not yet looked up."""

    implementations: tuple[str, ...] = option(
        (DEFAULT_FAMILY,),
        "name of an implementation or a family, all, or a .py file of your own; repeatable",
        "NAME|FILE", flag="--implementation", default_words=DEFAULT_FAMILY, with_resume=True,
    )  # fmt: skip
    sweeps: tuple[str, ...] = option(
        (), f"a list of cases: {', '.join(forward.SWEEPS)}; repeatable", "NAME", flag="--sweep",
        default_words=" and ".join(forward.DEFAULT_SWEEPS),
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
    """How a run measures; its folder stores these options unchanged."""

    workload: str = option(
        DEFAULT_WORKLOAD, "what is computed of each case", "NAME", default_words=DEFAULT_WORKLOAD
    )
    passes: int = option(
        PASSES, "passes over all cells", "N", default_words=str(PASSES), quick=7, with_resume=True,
        check=must_be(f"1 to {MOST_PASSES:,}", lambda count: 1 <= count <= MOST_PASSES),
    )  # fmt: skip
    visits: int = option(
        2, "moments of a pass at which a cell is timed, at most", "N", default_words="2", quick=1,
        check=must_be("1 to 100", lambda count: 1 <= count <= 100),
    )  # fmt: skip
    limit: float = option(
        0.5, "longest single call worth measuring; above it a cell is estimated", "SECONDS",
        default_words="0.5", quick=0.05, check=_check_seconds,
    )  # fmt: skip
    precision: float | None = option(
        None, "add passes until each speedup is known this precisely, as in 0.02 for 2 percent",
        "SHARE", reads=float, with_resume=True,
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
    """All options of a run, with defaults for those that were not given; see `of`."""

    quick: bool = option(
        False,
        "7 short passes over every second size, a limit of 0.05 s and no first calls, unless given",
    )
    output: str | None = option(
        None, "a new folder", "DIR", default_words="results/run-DATE-TIME", sent_to_hosts=False,
        check=check_name,
    )  # fmt: skip
    scheduler: str | None = option(
        None,
        "run on every host of a Dask cluster instead, whose scheduler is at tls://HOST:PORT, or "
        "at tcp://HOST:PORT on this machine",
        "ADDRESS", sent_to_hosts=False, from_python=False,
    )  # fmt: skip
    insecure: bool = option(
        False, "with --scheduler: allow a connection without encryption to another machine",
        sent_to_hosts=False, from_python=False,
    )  # fmt: skip
    resume: str | None = option(
        None,
        "go on with a run that was interrupted; with --passes or --precision, add to one; its "
        "files of your own have to be named again",
        "DIR", with_resume=True, sent_to_hosts=False, from_python=False,
    )  # fmt: skip
    given: frozenset[str] = field(default=frozenset(), repr=False)
    """Names of the options that were given."""

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Make the options from the given ones; None, an empty list and False mean not given.

        Raises `UserError` for a value that is not valid, and for an option that cannot be given
        together with ``resume``.
        """
        known = {option_field.name: option_field for option_field in options_of(cls)}
        for name in values:
            if name not in known:
                raise TypeError(f"there is no option {name!r}: choose from {', '.join(known)}")
        given = {
            name: _as_texts(known[name], value)
            for name, value in values.items()
            if not _is_not_given(value)
        }
        if "resume" in given:
            _refuse_with_resume(known[name] for name in known if name in given)
        if given.get("quick"):
            quick = {
                name: option_field.metadata["option"].quick for name, option_field in known.items()
            }
            changed = {name: value for name, value in quick.items() if value is not None}
            return cls(**{**changed, **given}, given=frozenset(given))
        return cls(**given, given=frozenset(given))

    def changes_to_resumed(self) -> dict[str, Any]:
        """The given options that change a resumed run, by name."""
        return {
            option_field.name: getattr(self, option_field.name)
            for option_field in options_of(Settings)
            if option_field.name in self.given and option_field.metadata["option"].with_resume
        }

    def arguments(self) -> list[str]:
        """The command-line arguments that pass the given options to the hosts of a cluster."""
        arguments = []
        for option_field in options_of(type(self)):
            flag, value = flag_of(option_field), getattr(self, option_field.name)
            if (
                option_field.name not in self.given
                or not option_field.metadata["option"].sent_to_hosts
            ):
                continue
            if isinstance(value, tuple):
                arguments += [f"{flag}={item}" for item in value]
            else:
                arguments.append(flag if is_switch(option_field) else f"{flag}={value}")
        return arguments


def options_of(kind: type[Options]) -> Iterator[Field[Any]]:
    """The fields of a class that are options, in the order in which help lists them."""
    return (option_field for option_field in fields(kind) if "option" in option_field.metadata)


def flag_of(option_field: Field[Any]) -> str:
    """An option's name on the command line."""
    return option_field.metadata["option"].flag or f"--{option_field.name.replace('_', '-')}"


def help_of(option_field: Field[Any], default_words: str = "") -> str:
    """An option's help, with its own default or with ``default_words``."""
    about: Option = option_field.metadata["option"]
    default = default_words or about.default_words
    return f"{about.help} (default: {default})" if default else about.help


def is_list(option_field: Field[Any]) -> bool:
    """Whether an option may be given several times."""
    return isinstance(option_field.default, tuple)


def is_switch(option_field: Field[Any]) -> bool:
    """Whether an option takes no value."""
    return option_field.metadata["option"].reads is bool


def signature_of(kind: type[RunOptions]) -> inspect.Signature:
    """The signature of `forwardbench.run`; its defaults mean that an option is not given."""
    parameters = []
    for option_field in options_of(kind):
        about: Option = option_field.metadata["option"]
        if not about.from_python:
            continue
        default: Any = None
        annotation = f"{about.reads.__name__} | None"
        if is_list(option_field):
            default, annotation = (), "Sequence[str]"
        elif is_switch(option_field):
            default, annotation = False, "bool"
        parameters.append(
            inspect.Parameter(
                option_field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=annotation,
            )
        )
    return inspect.Signature(parameters)


def describe_keywords(kind: type[RunOptions]) -> str:
    """Describe each keyword of `forwardbench.run` in one line."""
    return "\n".join(
        f"{option_field.name}: {help_of(option_field).replace('; repeatable', '')}"
        for option_field in options_of(kind)
        if option_field.metadata["option"].from_python
    )


def _is_not_given(value: object) -> bool:
    empty = isinstance(value, list | tuple) and not value
    return value is None or value is False or empty


def _as_texts(option_field: Field[Any], value: Any) -> Any:
    """Convert a value to the form that is stored; a path becomes a text."""
    if is_list(option_field):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise UserError(f"{option_field.name} is a list: write {option_field.name}=[{value!r}]")
        return tuple(str(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _check_type(option_field: Field[Any], value: Any) -> None:
    reads = option_field.metadata["option"].reads
    words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
    accepted = (int, float) if reads is float else tuple if is_list(option_field) else reads
    if not isinstance(value, accepted) or (isinstance(value, bool) and reads is not bool):
        raise UserError(f"{option_field.name} is {words[reads]}, not {value!r}")


def _refuse_with_resume(given: Iterable[Field[Any]]) -> None:
    for option_field in given:
        if not option_field.metadata["option"].with_resume:
            raise UserError(
                "--resume goes on with what the run was asked for: leave out "
                f"{flag_of(option_field)}, or start a new run"
            )
