"""The registry: every file in this folder is a workload, named by its file.

A workload says what is computed of a case: the function that a rung's file defines, its inputs,
what a right result is and how far off an honest one may be, the work in it, and its sweeps.
Folders that the variable ``FORWARDBENCH_WORKLOADS`` names are searched as well, so a workload
can live outside this package, and child processes find it by its name. Data files hold nothing
but that name.
"""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forwardbench.cases import Case, CaseError, Layer, Sweep
from forwardbench.errors import UserError, describe_error

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

FOLDER = Path(__file__).parent
VARIABLE = "FORWARDBENCH_WORKLOADS"
"""Names more folders with workloads, separated as in ``PATH``."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class WorkloadError(UserError):
    """A workload that does not exist or cannot be loaded, in one line for people."""


class Work(NamedTuple):
    """What a call does, counted: times are predicted from it."""

    outputs: int
    """Activations computed."""
    multiply_adds: int
    """Multiply-add pairs in the matrix products."""


class Answer(NamedTuple):
    """What one array of a right result is: its shape, and in some places its numbers."""

    shape: tuple[int, ...]
    places: tuple[Sequence[int], ...]
    """Indices along each axis; every combination of them is a place whose number is known."""
    expected: NDArray[np.float64]
    """The numbers there, along each axis as long as its indices."""
    bound: NDArray[np.float64]
    """How far off an honest result can be there."""
    name: str = ""
    """What tells this array of a result from the others; empty where there is one only."""


Inputs = tuple[tuple["Array", ...], list[Layer]]
"""Numbers to compute on: the arrays of a batch, and the layers."""


@dataclass(frozen=True, eq=False)
class Workload:
    """What is computed of a case; each field is what its file calls by the name in brackets."""

    name: str
    path: Path
    summary: str
    """First line of the file's docstring."""
    version: int
    """Changes whenever a case's inputs do (``VERSION``)."""
    function: str
    """The function that a rung's file defines (``FUNCTION``)."""
    data: Mapping[str, str]
    """The function's arguments, which are arrays with a row for each example, and what a rung's
    file calls the function that brings each into its form (``DATA``). The layers follow them.
    """
    sweeps: Mapping[str, Sweep]
    """Sweeps by their names (``SWEEPS``)."""
    default_sweeps: tuple[str, ...]
    """Those that a run takes unless told otherwise (``DEFAULT_SWEEPS``; all)."""
    little_and_much: tuple[tuple[Case, Case], ...]
    """Cases with results of one shape, the second of each pair with more work behind it: reading
    its result must not take longer (``LITTLE_AND_MUCH``).
    """
    multiply_adds: Callable[[Case], int]
    """Multiply-add pairs in the matrix products of one call (``count_multiply_adds``)."""
    outputs: Callable[[Case], int]
    """Activations computed in one call, over all layers (``count_outputs``)."""
    bytes: Callable[[Case], int]
    """Bytes of all that goes in, and of all that is computed (``count_bytes``)."""
    make_inputs: Callable[[Case], tuple[Any, ...]]
    """Make a case's data and, last, its layers, the same on every machine (``make_inputs``)."""
    answers: Callable[..., list[Answer]]
    """Say what is right for data and layers, array by array; with ``few=True`` in so few places
    that it takes no time to speak of (``answers``).
    """
    arrays_of: Callable[[Any], Sequence[Any]]
    """The arrays that a result is made of, in the order of ``answers`` (``arrays_of``; the result
    itself).
    """
    problems: Callable[[str], Iterator[tuple[Any, ...]]]
    """Yield more to check for a dtype, beyond what every workload is checked on: a case, its
    data and its layers (``problems``; none).
    """

    @property
    def signature(self) -> str:
        """The function with its arguments, as a message shows it."""
        return f"{self.function}({', '.join([*self.data, 'layers'])})"

    def inputs(self, case: Case) -> Inputs:
        """Make a case's data and layers."""
        *data, layers = self.make_inputs(case)
        return tuple(data), layers

    def work(self, case: Case) -> Work:
        """What one call does, counted."""
        return Work(self.outputs(case), self.multiply_adds(case))

    def sweep(self, name: str) -> Sweep:
        """Return the sweep of that name, or raise `CaseError` naming the ones there are."""
        if name not in self.sweeps:
            raise CaseError(f"there is no sweep {name!r}: choose from {', '.join(self.sweeps)}")
        return self.sweeps[name]

    def axis(self, sweep: str) -> str:
        """What grows along a sweep; empty where nothing does, or where it is none of these."""
        return self.sweeps[sweep].axis if sweep in self.sweeps else ""


def names() -> list[str]:
    """Names of the workloads that there are: the suite's own, and then those found elsewhere."""
    found = [path.stem for folder in _folders() for path in sorted(folder.glob("*.py"))]
    return [name for name in dict.fromkeys(found) if _can_name(name)]


@cache
def get(name: str) -> Workload:
    """Import a workload by its name, never by a path; raises `WorkloadError`."""
    path = _find(name)
    module = _import(name, path)
    try:
        return _read(module, name, path)
    except (AttributeError, TypeError, ValueError) as error:
        raise WorkloadError(
            f"the workload {name} ({path}) is incomplete: {describe_error(error)}"
        ) from error


def _find(name: str) -> Path:
    places = [folder / f"{name}.py" for folder in _folders()] if _can_name(name) else []
    found = [path for path in places if path.is_file()]
    if not found:
        raise WorkloadError(
            f"there is no workload {name!r}: choose from {', '.join(names())}, or name the "
            f"folder it lies in in {VARIABLE}"
        )
    if len(found) > 1:
        raise WorkloadError(
            f"two workloads are called {name!r}, {found[0]} and {found[1]}: rename one of them"
        )
    return found[0]


def _folders() -> list[Path]:
    """The package's folder and those that the variable names, each once."""
    folders = {FOLDER.resolve(): FOLDER}
    for text in os.environ.get(VARIABLE, "").split(os.pathsep):
        folder = Path(text).resolve()
        if text and not folder.is_dir():
            raise WorkloadError(f"{VARIABLE} names {text}, which is no folder: correct it")
        if text:
            folders.setdefault(folder, folder)
    return list(folders.values())


def _can_name(name: str) -> bool:
    """Whether a name is a Python identifier and part of a file's name on every system."""
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def is_own(path: Path) -> bool:
    """Whether a file is one of the suite's own workloads."""
    return path.parent == FOLDER


def _import(name: str, path: Path) -> ModuleType:
    if is_own(path):
        return importlib.import_module(f"{__name__}.{name}")
    module_name = f"forwardbench_workload_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise WorkloadError(f"the workload {name} ({path}) cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # somebody's own file may raise anything
        raise WorkloadError(
            f"the workload {name} ({path}) cannot be imported: {describe_error(error)}"
        ) from error
    return module


def _read(module: Any, name: str, path: Path) -> Workload:
    """Take from a workload's file what `Workload` says, with the defaults for what may lack."""
    workload = Workload(
        name=name,
        path=path,
        summary=(module.__doc__ or "").partition("\n")[0],
        version=int(module.VERSION),
        function=str(module.FUNCTION),
        data=dict(module.DATA),
        sweeps=dict(module.SWEEPS),
        default_sweeps=tuple(getattr(module, "DEFAULT_SWEEPS", module.SWEEPS)),
        little_and_much=tuple(module.LITTLE_AND_MUCH),
        multiply_adds=module.count_multiply_adds,
        outputs=module.count_outputs,
        bytes=module.count_bytes,
        make_inputs=module.make_inputs,
        answers=module.answers,
        arrays_of=getattr(module, "arrays_of", lambda result: [result]),
        problems=getattr(module, "problems", lambda dtype: iter(())),
    )
    for sweep in map(workload.sweep, workload.default_sweeps):
        if not sweep.cases:
            raise ValueError(f"the sweep {sweep.name} has no case")
    return workload
