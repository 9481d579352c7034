"""The registry: every file in this folder is a workload, named by its file.

A workload says what is computed for a case: the function that a rung's file defines, its inputs,
the correct result with a bound on its rounding error, the amount of work, and the sweeps.
The folders that the environment variable ``FORWARDBENCH_WORKLOADS`` lists are searched as well.
So a workload can live outside this package, and child processes still find it by its name. Data
files store only that name.
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
from forwardbench.memory import at_line

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

FOLDER = Path(__file__).parent
VARIABLE = "FORWARDBENCH_WORKLOADS"
"""Environment variable that lists more folders with workloads, separated as in ``PATH``."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class WorkloadError(UserError):
    """A workload does not exist or cannot be loaded; the message is one line for people."""


class Work(NamedTuple):
    """The amount of work in one call, from which its time is predicted."""

    outputs: int
    """Activations computed."""
    multiply_adds: int
    """Multiply-add pairs in the matrix products."""


class Answer(NamedTuple):
    """One array of the correct result: its shape, and its numbers in some places."""

    shape: tuple[int, ...]
    places: tuple[Sequence[int], ...]
    """Indices along each axis; the number is known for every combination of them."""
    expected: NDArray[np.float64]
    """The numbers in these places; each axis is as long as its list of indices."""
    bound: NDArray[np.float64]
    """The largest error that rounding alone can cause in each of these places."""
    name: str = ""
    """The name of this array; empty if the result has only one array."""
    typical_share: float = 1.0
    """The root mean square of errors over bounds stays below this in any correct computation.

    Rounding errors mostly cancel: a sum of n terms is off by about the square root of n roundoffs,
    not by n (Higham and Mary, *A New Approach to Probabilistic Rounding Error Analysis*, 2019).
    """


Inputs = tuple[tuple["Array", ...], list[Layer]]
"""What the function is called with: the arrays of a batch, and the layers."""


@dataclass(frozen=True, eq=False)
class Workload:
    """What is computed for a case. Brackets give each field's name in the workload's file."""

    name: str
    path: Path
    summary: str
    """First line of the file's docstring."""
    version: int
    """Must change whenever the inputs of a case change (``VERSION``)."""
    function: str
    """The function that a rung's file defines (``FUNCTION``)."""
    data: Mapping[str, str]
    """The function's arguments before the layers: arrays with one row for each example. Each is
    mapped to the name of the function in a rung's file that converts it (``DATA``).
    """
    sweeps: Mapping[str, Sweep]
    """The sweeps by name (``SWEEPS``)."""
    default_sweeps: tuple[str, ...]
    """The sweeps that a run measures by default (``DEFAULT_SWEEPS``; default: all)."""
    little_and_much: tuple[tuple[Case, Case], ...]
    """Pairs of cases whose results have the same shape. The second case of a pair needs more work,
    but reading its result must not take longer (``LITTLE_AND_MUCH``).
    """
    multiply_adds: Callable[[Case], int]
    """Multiply-add pairs in the matrix products of one call (``count_multiply_adds``)."""
    outputs: Callable[[Case], int]
    """Activations computed in one call, over all layers (``count_outputs``)."""
    bytes: Callable[[Case], int]
    """Bytes of all inputs and of everything that is computed (``count_bytes``)."""
    make_inputs: Callable[[Case], tuple[Any, ...]]
    """Make a case's data and, last, its layers, the same on every machine (``make_inputs``)."""
    answers: Callable[..., list[Answer]]
    """Return the correct result for data and layers, array by array. With ``few=True`` only in so
    few places that it takes almost no time. ``seed`` draws the places (``answers``).
    """
    arrays_of: Callable[[Any], Sequence[Any]]
    """The arrays of a result, in the order of ``answers`` (``arrays_of``; default: the result
    itself is the only array).
    """
    nearly: Callable[..., list[Answer]] | None
    """Return nearly the correct result in every place, quickly, with bounds that allow for its own
    error (``nearly``; default: None, and then timed results are compared in few places only).
    """
    problems: Callable[[str], Iterator[tuple[Any, ...]]]
    """Yield more problems to check for a dtype, each a case, its data and its layers. They come on
    top of those that every workload is checked on (``problems``; default: none).
    """

    @property
    def signature(self) -> str:
        """The function with its arguments, for messages."""
        return f"{self.function}({', '.join([*self.data, 'layers'])})"

    def inputs(self, case: Case) -> Inputs:
        """Make a case's data and layers; every array begins at a cache line."""
        *data, layers = self.make_inputs(case)
        lined_up = [
            layer._replace(weights=at_line(layer.weights), bias=at_line(layer.bias))
            for layer in layers
        ]
        return tuple(map(at_line, data)), lined_up

    def work(self, case: Case) -> Work:
        """Return the amount of work in one call."""
        return Work(self.outputs(case), self.multiply_adds(case))

    def sweep(self, name: str) -> Sweep:
        """Return the sweep of that name; raises `CaseError`, which lists the existing ones."""
        if name not in self.sweeps:
            raise CaseError(f"there is no sweep {name!r}: choose from {', '.join(self.sweeps)}")
        return self.sweeps[name]

    def axis(self, sweep: str) -> str:
        """What grows along a sweep; empty if nothing grows, or if there is no such sweep."""
        return self.sweeps[sweep].axis if sweep in self.sweeps else ""


def names() -> list[str]:
    """Names of all workloads: first the suite's own, then those in other folders."""
    stems = [path.stem for folder in _folders() for path in sorted(folder.glob("*.py"))]
    return [name for name in dict.fromkeys(stems) if _can_name(name)]


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
    candidates = [folder / f"{name}.py" for folder in _folders()] if _can_name(name) else []
    paths = [path for path in candidates if path.is_file()]
    if not paths:
        raise WorkloadError(
            f"there is no workload {name!r}: choose from {', '.join(names())}, or name the "
            f"folder it lies in in {VARIABLE}"
        )
    if len(paths) > 1:
        raise WorkloadError(
            f"two workloads are called {name!r}, {paths[0]} and {paths[1]}: rename one of them"
        )
    return paths[0]


def _folders() -> list[Path]:
    """The package's folder and those that `VARIABLE` lists, each once."""
    folders = {FOLDER.resolve(): FOLDER}
    for text in os.environ.get(VARIABLE, "").split(os.pathsep):
        folder = Path(text).resolve()
        if text and not folder.is_dir():
            raise WorkloadError(f"{VARIABLE} names {text}, which is no folder: correct it")
        if text:
            folders.setdefault(folder, folder)
    return list(folders.values())


def _can_name(name: str) -> bool:
    """Whether a name is a Python identifier and valid in file names on every system."""
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def is_builtin(path: Path) -> bool:
    """Whether a file is one of the suite's own workloads."""
    return path.parent == FOLDER


def _import(name: str, path: Path) -> ModuleType:
    if is_builtin(path):
        return importlib.import_module(f"{__name__}.{name}")
    module_name = f"forwardbench_workload_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise WorkloadError(f"the workload {name} ({path}) cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may raise anything
        raise WorkloadError(
            f"the workload {name} ({path}) cannot be imported: {describe_error(error)}"
        ) from error
    return module


def _read(module: Any, name: str, path: Path) -> Workload:
    """Make a `Workload` of a workload's file; what the file leaves out gets its default."""
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
        nearly=getattr(module, "nearly", None),
        problems=getattr(module, "problems", lambda dtype: iter(())),
    )
    for sweep in map(workload.sweep, workload.default_sweeps):
        if not sweep.cases:
            raise ValueError(f"the sweep {sweep.name} has no case")
    return workload
