"""The request of a run: its options, checked and completed before anything starts."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forwardbench import implementations, workloads
from forwardbench.cases import DTYPES, CaseError, Sweep, parse_case
from forwardbench.errors import UserError, one_line
from forwardbench.measure.run_options import (
    DEFAULT_FAMILY,
    MAX_TIME,
    RunOptions,
    Settings,
    options_of,
)
from forwardbench.processes import available_cpus
from forwardbench.records import DEFAULT_BASELINE, DEFAULT_WORKLOAD

if TYPE_CHECKING:
    from forwardbench.workloads import Workload

PRECISION_PASSES = 10
"""With fewer passes an interval may be narrow by chance, so precision cannot be judged."""
SHAPES = "shapes"
"""The name of the sweep that holds the cases of ``--shape``."""
_LONGEST_PATH = 4096
"""Letters of the path of an implementation's file."""


@dataclass(frozen=True)
class Request(Settings):
    """The request of a run, checked and complete.

    If it has a precision, the run may make more passes than ``passes``.
    """

    contenders: dict[str, str]
    """Maps the name of each contender to the reference that loads it: a name or a path."""
    sweeps: tuple[Sweep, ...]
    baseline: str
    dtypes: tuple[str, ...] = ("float64",)
    threads: tuple[int, ...] = (1,)
    seed: int = 0
    """Determines the order of cells in each pass."""

    def to_json(self) -> dict[str, Any]:
        """The part of `run.json` that stores the request; `from_json` is the inverse."""
        sweeps = {sweep.name: [str(case) for case in sweep.cases] for sweep in self.sweeps}
        return {**asdict(self), "sweeps": sweeps}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Request:
        """Rebuild a request from `run.json`; raises `UserError` if a sweep has changed since.

        The file may come from elsewhere. Raises `KeyError`, `TypeError` or `ValueError` for
        anything that `make_request` could not have made.
        """
        known = {known_field.name for known_field in fields(cls)}
        request = {"first_calls": 0} | {
            name: value for name, value in values.items() if name in known
        }
        workload = workloads.get(values.get("workload", DEFAULT_WORKLOAD))
        sweeps = tuple(_rebuild(workload, *sweep) for sweep in values["sweeps"].items())
        tuples = {name: tuple(values[name]) for name in ("dtypes", "threads")}
        rebuilt = cls(**{**request, **tuples, "sweeps": sweeps})
        _check_foreign(rebuilt)
        return _complete(rebuilt)

    @property
    def own_files(self) -> dict[str, str]:
        """Maps the names of contenders that are not the suite's own to the paths of their files."""
        return {name: file for name, file in self.contenders.items() if file != name}


def _rebuild(workload: Workload, name: str, cases: list[str]) -> Sweep:
    if name == SHAPES:
        try:
            return _sweep_of_shapes(cases)
        except CaseError as error:  # the file is wrong, not something that the user typed
            raise ValueError(str(error)) from None
    sweep = workload.sweep(name)
    for known in (sweep, sweep.every_second()):
        if [str(case) for case in known.cases] == cases:
            return known
    raise UserError(f"the cases of the sweep {name} have changed: start a new run")


def _check_foreign(request: Request) -> None:
    """Raise `TypeError` or `ValueError` for a request that `make_request` could not have made."""
    if type(request.seed) is not int:
        raise TypeError(f"seed {request.seed!r}")
    for name, reference in request.contenders.items():
        if not _loads(reference, name):
            raise ValueError(f"a contender {name!r} that is {reference!r}")
    if request.baseline not in request.contenders:
        raise ValueError(f"a baseline {request.baseline!r}")
    if not set(request.dtypes) <= set(DTYPES):
        raise ValueError(f"dtypes {request.dtypes}")
    if not all(type(count) is int and count > 0 for count in request.threads):
        raise ValueError(f"threads {request.threads}")
    for several in (request.dtypes, request.threads):
        if len(set(several)) < len(several):
            raise ValueError(f"twice the same in {several}")


def _loads(reference: str, name: str) -> bool:
    """Whether a reference loads the contender of that name: a rung of the suite, or a file."""
    if reference in implementations.names():
        return reference == name
    path = Path(reference)
    plain = str(path) == reference and path.is_absolute() and ".." not in path.parts
    is_file_of_name = (path.stem, path.suffix) == (name, ".py") and _can_be_named(name)
    return plain and is_file_of_name and reference.isprintable() and len(reference) < _LONGEST_PATH


def check_here(request: Request) -> None:
    """Raise `UserError` if this machine has too few CPUs or too little memory for a request."""
    for count in request.threads:
        _thread_count(str(count), here=True)
    _check_memory(request)


def make_request(options: RunOptions, *, seed: int | None = None, here: bool = True) -> Request:
    """Look up everything that the options name; raises `UserError` if the run is not possible.

    ``here`` is True for a run on this machine. Its installation, CPUs and memory are then checked.
    """
    workload = workloads.get(options.workload)
    contenders = choose_contenders(options.implementations, workload, everywhere=not here)
    baseline = options.baseline
    if baseline is None:
        # Even a single file needs a contender to compare it with.
        if DEFAULT_BASELINE not in {*contenders, *implementations.names_for(workload)}:
            raise UserError(
                f"{DEFAULT_BASELINE} has no function {workload.signature}: name what speedups are "
                "relative to with --baseline"
            )
        contenders.setdefault(DEFAULT_BASELINE, DEFAULT_BASELINE)
    elif baseline not in contenders:
        raise UserError(
            f"the baseline {baseline!r} is not among the contenders: choose from "
            f"{', '.join(contenders)}, or add it with {_how_to_add(options)}"
        )
    request = Request(
        contenders,
        tuple(_choose_sweeps(workload, options)),
        baseline or DEFAULT_BASELINE,
        tuple(dict.fromkeys(options.dtypes)),
        tuple(dict.fromkeys(_thread_count(text, here) for text in options.threads)),
        seed=random.SystemRandom().randrange(2**32) if seed is None else seed,
        **{setting.name: getattr(options, setting.name) for setting in options_of(Settings)},
    )
    if here:
        check_here(request)
    return _complete(request)


def _how_to_add(options: RunOptions) -> str:
    """The flags that add a contender; if none was given, they must name the default as well."""
    if "implementations" in options.given:
        return "--implementation"
    return f"--implementation {DEFAULT_FAMILY} --implementation NAME"


def with_effort(request: Request, options: RunOptions) -> Request:
    """Apply the given options that change how long to measure; raises `UserError`."""
    return _complete(replace(request, **options.changes_to_resumed()))


def _complete(request: Request) -> Request:
    """Check and complete options that depend on each other; raises `UserError`."""
    if request.precision is None:
        return request
    if request.passes < PRECISION_PASSES:
        raise UserError(
            f"--precision needs at least {PRECISION_PASSES} passes to judge by: "
            "leave out --passes or --quick"
        )
    return request if request.max_time is not None else replace(request, max_time=MAX_TIME)


def choose_contenders(
    references: Sequence[str], workload: Workload, *, everywhere: bool = False
) -> dict[str, str]:
    """Map the name of each contender to the reference that loads it; raises `UserError`.

    ``references`` are names of implementations, files, families or ``all``. A family stands for
    its members that compute the workload and can run here. With ``everywhere`` it stands for
    those that cannot run here, too.
    """
    contenders: dict[str, str] = {}
    for reference in references:
        for member in _members(reference, workload, everywhere):
            path = implementations.find(member)
            if not _can_be_named(path.stem):
                raise UserError(f"{one_line(path.name)!r} cannot name an implementation: rename it")
            is_builtin = implementations.is_builtin(path)
            loaded_by = path.stem if is_builtin else str(path.resolve())
            if contenders.setdefault(path.stem, loaded_by) != loaded_by:
                raise UserError(
                    f"two implementations are called {path.stem!r}: rename one of the files"
                )
    return contenders


def _can_be_named(name: str) -> bool:
    return one_line(name) == name and not name.endswith(" (control)")


def _members(reference: str, workload: Workload, everywhere: bool) -> list[str]:
    """The names behind a reference; raises `UserError` for a family that cannot run here."""
    members = implementations.members_of(reference)
    if not members:
        return [reference]
    computing = implementations.names_for(workload)
    members = [name for name in members if name in computing]
    if not members:
        raise UserError(
            f"nothing in the family {reference} has a function {workload.signature}: give a file "
            "that has one with --implementation"
        )
    if everywhere:
        return members
    usable = [name for name in members if not implementations.describe(name).missing]
    if not usable:
        raise UserError(
            f"nothing in the family {reference} can run here: {'; '.join(left_out([reference]))}"
        )
    return usable


def left_out(references: Sequence[str]) -> list[str]:
    """The members of these families that cannot run here; one line for each reason."""
    names: dict[str, list[str]] = {}
    for name in dict.fromkeys(
        member for reference in references for member in implementations.members_of(reference)
    ):
        missing = implementations.describe(name).missing
        if missing and name not in references:
            names.setdefault(missing, []).append(name)
    return [f"{', '.join(group)}: {reason}" for reason, group in names.items()]


def named_one_by_one(references: Sequence[str]) -> set[str]:
    """The implementations that were given by their own name or file, not by a family."""
    return {
        implementations.find(reference).stem
        for reference in references
        if not implementations.members_of(reference)
    }


def _choose_sweeps(workload: Workload, options: RunOptions) -> Iterator[Sweep]:
    for name in dict.fromkeys(options.sweeps):
        yield workload.sweep(name)
    if options.shapes:
        yield _sweep_of_shapes(options.shapes)
    if not options.sweeps and not options.shapes:
        yield from _default_sweeps(workload, quick=options.quick)


def _default_sweeps(workload: Workload, *, quick: bool) -> Sequence[Sweep]:
    """What a run measures if nothing was named; a quick one every second size, and sizes only."""
    sweeps = [workload.sweep(name) for name in workload.default_sweeps]
    grow = [sweep.every_second() for sweep in sweeps if sweep.axis]
    return grow if quick and grow else sweeps


def _sweep_of_shapes(shapes: Sequence[str]) -> Sweep:
    cases = tuple(dict.fromkeys(parse_case(shape) for shape in shapes))
    return Sweep(SHAPES, "cases given one by one", "", cases)


def _thread_count(text: str, here: bool) -> int:
    available = len(available_cpus())
    if text == "all":
        return available
    given = int(text) if text.isascii() and text.isdigit() else 0
    if given and not here:
        return given
    if not 1 <= given <= available:
        raise UserError(
            f"--threads {text!r} is not possible: this process may use {available} CPUs, "
            f"so give a number from 1 to {available}, or all"
        )
    return int(text)


def _check_memory(request: Request) -> None:
    """Refuse a case whose arrays alone would not fit into this machine's memory."""
    if not hasattr(os, "sysconf"):
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    bytes_of = workloads.get(request.workload).bytes
    memory_words = f"{memory / 2**30:,.0f} GiB"
    for sweep in request.sweeps:
        for case in sweep.cases:
            # Python's lists need four times the memory of an array, and inputs exist in both forms.
            if bytes_of(case) * 5 > memory:
                raise UserError(
                    f"{case} needs about {bytes_of(case) * 5 / 2**30:,.0f} GiB and this machine "
                    f"has {memory_words}: choose a smaller case, or check it on a Dask "
                    "cluster with forwardbench verify --implementation dask_array --shape "
                    f"{case} --scheduler tls://HOST:PORT"
                )
