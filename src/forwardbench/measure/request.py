"""What a run is asked for: checked, and completed with the defaults, before anything starts."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from forwardbench import implementations, workloads
from forwardbench.cases import DTYPES, Sweep, parse_case
from forwardbench.errors import UserError, one_line
from forwardbench.measure.threads import available_cpus
from forwardbench.records import DEFAULT_BASELINE, DEFAULT_WORKLOAD

if TYPE_CHECKING:
    from forwardbench.workloads import Workload

PRECISION_PASSES = 10
"""With fewer passes there is no telling whether an interval is narrow or narrow by chance."""
MOST_FIRST_CALLS = 1000
"""Each is a process of its own; nobody waits for more."""
MAX_TIME = 300.0
"""Seconds that a run with a precision to reach may take, unless told otherwise."""
SHAPES = "shapes"
"""The sweep that cases given one by one belong to."""


@dataclass(frozen=True)
class Request:
    """What a run was asked for, checked and complete."""

    contenders: dict[str, str]
    """Names, and the name or path that each is loaded by."""
    sweeps: tuple[Sweep, ...]
    baseline: str
    dtypes: tuple[str, ...] = ("float64",)
    threads: tuple[int, ...] = (1,)
    passes: int = 10
    """Passes over all cells; with ``precision`` more may follow."""
    limit: float = 1.0
    """Longest call in seconds that is worth measuring."""
    seed: int = 0
    """Determines the order of cells in each pass."""
    precision: float | None = None
    """Half-width of each speedup's interval, as a share of it, that is to be reached."""
    max_time: float | None = None
    """Seconds after which no further pass is begun."""
    first_calls: int = 0
    """How often the first call of each cell that compiles is timed, each in a fresh process."""
    workload: str = DEFAULT_WORKLOAD
    """What is computed of each case."""

    def to_json(self) -> dict[str, Any]:
        """What `run.json` keeps of it; `from_json` is the inverse."""
        sweeps = {sweep.name: [str(case) for case in sweep.cases] for sweep in self.sweeps}
        return {**asdict(self), "sweeps": sweeps}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Request:
        """Rebuild a request from `run.json`; raises `UserError` if a sweep has changed since."""
        known = {each.name for each in fields(cls)}
        request = {name: value for name, value in values.items() if name in known}
        workload = workloads.get(values.get("workload", DEFAULT_WORKLOAD))
        sweeps = tuple(_rebuild(workload, *sweep) for sweep in values["sweeps"].items())
        tuples = {name: tuple(values[name]) for name in ("dtypes", "threads")}
        rebuilt = cls(**{**request, **tuples, "sweeps": sweeps})
        max_time = None if rebuilt.max_time is None else float(rebuilt.max_time)
        with_effort(
            rebuilt, int(rebuilt.passes), rebuilt.precision, max_time, int(rebuilt.first_calls)
        )
        for name in ("passes", "seed", "first_calls"):
            if type(getattr(rebuilt, name)) is not int:
                raise TypeError(f"{name} {getattr(rebuilt, name)!r}")
        return rebuilt


def _rebuild(workload: Workload, name: str, cases: list[str]) -> Sweep:
    if name == SHAPES:
        return _sweep_of_shapes(cases)
    sweep = workload.sweep(name)
    if [str(case) for case in sweep.cases] != cases:
        raise UserError(f"the cases of the sweep {name} have changed: start a new run")
    return sweep


def make_request(
    *,
    sweeps: Sequence[str] = (),
    shapes: Sequence[str] = (),
    chosen: Sequence[str] = (),
    baseline: str | None = None,
    dtypes: Sequence[str] = (),
    threads: Sequence[str] = (),
    passes: int = 10,
    limit: float = 1.0,
    seed: int | None = None,
    precision: float | None = None,
    max_time: float | None = None,
    first_calls: int = 0,
    workload: str = DEFAULT_WORKLOAD,
    here: bool = True,
) -> Request:
    """Check what was asked for and fill in the defaults; raises `UserError`.

    ``here`` says whether it is for this machine, whose CPUs and memory then count.
    """
    computed = workloads.get(workload)
    contenders = choose_contenders(chosen or (usable_names(workload) if here else ()), workload)
    if baseline is None:
        # A single function of one's own still needs something to be compared with.
        if DEFAULT_BASELINE not in {*contenders, *implementations.names_for(computed)}:
            raise UserError(
                f"{DEFAULT_BASELINE} has no function {computed.signature}: name what speedups are "
                "relative to with --baseline"
            )
        contenders.setdefault(DEFAULT_BASELINE, DEFAULT_BASELINE)
    elif baseline not in contenders:
        raise UserError(
            f"the baseline {baseline!r} is not among the contenders: "
            f"choose from {', '.join(contenders)}, or add it with --implementation"
        )
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise UserError(f"there is no dtype {dtype!r}: choose from {', '.join(DTYPES)}")
    if not 0 < limit < float("inf"):
        raise UserError(f"--limit must be a number of seconds above 0, not {limit:g}")
    request = Request(
        contenders,
        tuple(_choose_sweeps(computed, sweeps, shapes)),
        baseline or DEFAULT_BASELINE,
        tuple(dict.fromkeys(dtypes)) or ("float64",),
        tuple(dict.fromkeys(_thread_count(text, here) for text in threads)) or (1,),
        limit=limit,
        seed=random.SystemRandom().randrange(2**32) if seed is None else seed,
        workload=workload,
    )
    if here:
        _check_memory(request)
    return with_effort(request, passes, precision, max_time, first_calls)


def with_effort(
    request: Request,
    passes: int | None,
    precision: float | None,
    max_time: float | None,
    first_calls: int | None = None,
) -> Request:
    """Change how long to measure, where something is given; raises `UserError`."""
    if passes is not None:
        if passes < 1:
            raise UserError(f"--passes must be at least 1, not {passes}")
        request = replace(request, passes=passes)
    if precision is not None:
        if not 0 < precision < 1:
            raise UserError(
                f"--precision must be a share between 0 and 1, as in 0.02, not {precision:g}"
            )
        request = replace(request, precision=precision)
    if max_time is not None:
        if not 0 < max_time < float("inf"):
            raise UserError(f"--max-time must be a number of seconds above 0, not {max_time:g}")
        request = replace(request, max_time=max_time)
    if first_calls is not None:
        if not 0 <= first_calls <= MOST_FIRST_CALLS:
            raise UserError(
                f"--first-calls must be 0 (none) to {MOST_FIRST_CALLS}, not {first_calls}"
            )
        request = replace(request, first_calls=first_calls)
    if request.precision is not None:
        if request.passes < PRECISION_PASSES:
            raise UserError(
                f"--precision needs at least {PRECISION_PASSES} passes to judge by: "
                "leave out --passes or --quick"
            )
        if request.max_time is None:
            request = replace(request, max_time=MAX_TIME)
    return request


def usable_names(workload: str = DEFAULT_WORKLOAD) -> list[str]:
    """Names of the suite's own implementations of a workload that lack nothing here."""
    names = implementations.names_for(workloads.get(workload))
    return [name for name in names if not implementations.describe(name).missing]


def choose_contenders(chosen: Sequence[str], workload: str = DEFAULT_WORKLOAD) -> dict[str, str]:
    """Map names to what each is loaded by: those chosen, or all of the suite's own."""
    computed = workloads.get(workload)
    chosen = chosen or implementations.names_for(computed)
    if not chosen:
        raise UserError(
            f"no implementation of the suite has a function {computed.signature}: give a file that "
            "has one with --implementation"
        )
    contenders: dict[str, str] = {}
    for reference in chosen:
        path = implementations.find(reference)
        if path.stem.endswith(" (control)") or one_line(path.stem) != path.stem:
            raise UserError(f"{one_line(path.name)!r} cannot name an implementation: rename it")
        own = implementations.is_own(path)
        loaded_by = path.stem if own else str(path.resolve())
        if contenders.setdefault(path.stem, loaded_by) != loaded_by:
            raise UserError(
                f"two implementations are called {path.stem!r}: rename one of the files"
            )
    return contenders


def _choose_sweeps(
    workload: Workload, names: Sequence[str], shapes: Sequence[str]
) -> Iterator[Sweep]:
    if not shapes:
        names = names or workload.default_sweeps
    for name in dict.fromkeys(names):
        yield workload.sweep(name)
    if shapes:
        yield _sweep_of_shapes(shapes)


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
            f"--threads {text!r} cannot be had: this process may use {available} CPUs, "
            f"so give a number from 1 to {available}, or all"
        )
    return int(text)


def _check_memory(request: Request) -> None:
    """Refuse a case whose arrays alone would not fit into this machine's memory."""
    if not hasattr(os, "sysconf"):
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    bytes_of = workloads.get(request.workload).bytes
    had = f"{memory / 2**30:,.0f} GiB"
    for asked in request.sweeps:
        for case in asked.cases:
            # Python's lists take four times an array's room, and inputs exist in both forms.
            if bytes_of(case) * 5 > memory:
                raise UserError(
                    f"{case} needs about {bytes_of(case) * 5 / 2**30:,.0f} GiB and this machine "
                    f"has {had}: choose a smaller case, or check it on a Dask "
                    "cluster with forwardbench verify --implementation dask_array --shape "
                    f"{case} --scheduler tcp://HOST:PORT"
                )
