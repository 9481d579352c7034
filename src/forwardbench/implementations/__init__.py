"""The registry: every file in a family's folder is an implementation, named by its file.

A rung is a module with ``forward(x, layers)``; what else it may define, and the default
for each, is in `load`. Listing reads the files and imports none of them.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.implementations import requirements

if TYPE_CHECKING:
    from types import ModuleType

    from forwardbench.cases import Layer

FOLDER = Path(__file__).parent
FAMILIES = ("ladder", "compiled", "frameworks", "gpu", "larger_than_memory")
"""Folders of implementations, in the order in which lists show them; a new one follows these."""
ALL = "all"
"""Stands for every family, where an implementation's name is asked for."""


class ImplementationError(UserError):
    """An implementation that cannot be found, read or loaded, in one line for people."""


class MissingExtraError(ImplementationError):
    """An implementation whose framework is not installed."""


@dataclass(frozen=True)
class Description:
    """What a file says of itself, read without importing it."""

    name: str
    path: Path
    family: str
    """The folder it lies in; empty for a user's own file."""
    summary: str
    """First line of the module's docstring."""
    requires: str = ""
    """The extra it needs; empty when it needs none."""
    needs: str = ""
    """What else it needs: `requirements.COMPILER` or `GPU`; empty for nothing."""
    compiles: bool = False
    """Whether the first call compiles, and so costs far more than the next."""

    @property
    def missing(self) -> str:
        """Why it cannot be loaded here and what to do; empty when it can."""
        return requirements.missing(self.requires, self.needs)


@dataclass(frozen=True)
class Implementation:
    """A loaded implementation, with the defaults filled in for what its file leaves out."""

    name: str
    forward: Callable[[Any, Any], Any]
    prepare_layers: Callable[[Sequence[Layer]], Any]
    prepare_input: Callable[[Any], Any]
    to_numpy: Callable[[Any], Any]
    reuses_output: bool
    """Whether an output handed out earlier may be overwritten by the next call."""
    thread_count: Callable[[], int] | None = None
    """How many threads the framework says it uses, where it can be asked."""


def families() -> dict[str, list[str]]:
    """Map each family to the names of its implementations, in alphabetical order."""
    folders = sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))
    ordered = [*FAMILIES, *(name for name in folders if name not in FAMILIES)]
    return {family: sorted(path.stem for path in _rungs(family)) for family in ordered}


def _rungs(family: str) -> list[Path]:
    return [path for path in (FOLDER / family).glob("*.py") if path.stem != "__init__"]


def names() -> list[str]:
    """Names of the suite's own implementations, in alphabetical order."""
    return sorted(name for members in families().values() for name in members)


def summary_of(family: str) -> str:
    """What the implementations of a family have in common, in a line."""
    return ast.get_docstring(ast.parse((FOLDER / family / "__init__.py").read_bytes())) or ""


def members_of(reference: str) -> list[str]:
    """Names in the family of that name, or in all of them; empty where there is no such family."""
    return names() if reference == ALL else families().get(reference, [])


def is_own(path: Path) -> bool:
    """Whether a file is one of the suite's own implementations, not a user's."""
    return path.parent.parent == FOLDER


def find(reference: str) -> Path:
    """Return the file of an implementation given by name, or by a path that ends in .py."""
    for family in families():
        path = FOLDER / family / f"{reference}.py"
        if path in _rungs(family):
            return path
    path = Path(reference)
    if path.suffix != ".py":
        raise ImplementationError(
            f"there is no implementation {reference!r}: choose from {', '.join(names())}, "
            f"a family ({', '.join(families())}), {ALL}, or give the path of a .py file"
        )
    if not path.is_file():
        raise ImplementationError(f"there is no implementation file {reference!r}")
    return path


def describe(reference: str) -> Description:
    """Read what an implementation's file says of itself, without running it.

    A file that does not parse has no summary; `load` says what is wrong with it.
    """
    path = find(reference)
    family = path.parent.name if is_own(path) else ""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, MemoryError, RecursionError):
        return Description(path.stem, path, family, summary="")
    said: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Constant(value))
                | ast.AnnAssign(target=ast.Name(name), value=ast.Constant(value))
            ):
                said[name] = value
    return Description(
        path.stem,
        path,
        family,
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        requires=str(said.get("REQUIRES") or ""),
        needs=str(said.get("NEEDS") or ""),
        compiles=bool(said.get("COMPILES")),
    )


def load(reference: str) -> Implementation:
    """Import an implementation, by name or path, and fill in the defaults of its contract.

    Raises `MissingExtraError` when its framework is not installed, and
    `ImplementationError` when it does not parse, raises on import or lacks ``forward``.
    """
    description = describe(reference)
    if description.needs not in ("", requirements.COMPILER, requirements.GPU):
        raise ImplementationError(
            f"has NEEDS = {description.needs!r}: write {requirements.COMPILER!r} or "
            f"{requirements.GPU!r}"
        )
    if description.missing:
        raise MissingExtraError(description.missing)
    module = _import_file(description)
    if not callable(getattr(module, "forward", None)):
        raise ImplementationError("has no function forward(x, layers)")
    return Implementation(
        name=description.name,
        forward=module.forward,
        prepare_layers=getattr(module, "prepare_layers", lambda layers: layers),
        prepare_input=getattr(module, "prepare_input", lambda x: x),
        to_numpy=getattr(module, "to_numpy", lambda out: out),
        reuses_output=bool(getattr(module, "REUSES_OUTPUT", False)),
        thread_count=getattr(module, "thread_count", None),
    )


def _import_file(description: Description) -> ModuleType:
    """Import one file under a name of its own, letting it import its neighbours."""
    path = description.path
    module_name = f"forwardbench_implementation_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImplementationError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    if not is_own(path):
        sys.path.append(str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        raise ImplementationError(f"does not parse: {line}{one_line(error.msg)}") from error
    except ModuleNotFoundError as error:
        if error.name is None:
            raise ImplementationError(f"raised on import: {describe_error(error)}") from error
        raise MissingExtraError(
            f"needs {error.name}, which is not installed: pip install {error.name}"
        ) from error
    except ImportError as error:
        if not description.requires:
            raise ImplementationError(f"raised on import: {describe_error(error)}") from error
        # A framework is there and cannot be used: it lacks a library, or cannot use this GPU.
        raise MissingExtraError(f"cannot be used here: {one_line(error)}") from error
    except Exception as error:  # the file is somebody's own code and may raise anything
        raise ImplementationError(f"raised on import: {describe_error(error)}") from error
    return module


def output_array(implementation: Implementation, out: Any, dtype: str) -> Any:
    """Turn what ``forward`` returned into a NumPy array.

    Python's numbers carry no precision of their own, so lists and other objects without a
    dtype are rounded to the case's; what has a dtype keeps it, for the caller to check.
    """
    import numpy as np

    array = np.asarray(implementation.to_numpy(out))
    if not hasattr(out, "dtype") and array.dtype in (np.float64, np.int64):
        return array.astype(dtype)
    return array
