"""The registry: every file in a family's folder is an implementation, named by its file.

A rung is a module that defines the function of one or several workloads, for example
``forward(x, layers)``. `load` shows what else it may define, and the defaults. Listing reads the
files but imports none of them.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forwardbench import workloads
from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.implementations import requirements
from forwardbench.records import DEFAULT_WORKLOAD

if TYPE_CHECKING:
    from types import ModuleType

    from forwardbench.cases import Layer
    from forwardbench.workloads import Workload

FOLDER = Path(__file__).parent
FAMILIES = ("ladder", "compiled", "frameworks", "gpu", "larger_than_memory")
"""Folders of implementations, in the order of lists; any other folder comes after these."""
ALL = "all"
"""Can be given in place of an implementation's name; means every family."""


class ImplementationError(UserError):
    """An implementation cannot be found, read or loaded; the message is one line for people."""


class MissingExtraError(ImplementationError):
    """The framework of an implementation is not installed or cannot be used."""


@dataclass(frozen=True)
class Description:
    """What a file says about itself; read without importing the file."""

    name: str
    path: Path
    family: str
    """The name of its folder; empty for a user's own file."""
    summary: str
    """First line of the module's docstring."""
    requires: str = ""
    """The extra that it needs; empty if it needs none."""
    needs: str = ""
    """What else it needs: `requirements.COMPILER` or `GPU`; empty for nothing."""
    compiles: bool = False
    """Whether the first call compiles, and so takes much longer than later calls."""
    defines: frozenset[str] = frozenset()
    """Names that the file defines: functions, variables and imports."""

    @property
    def missing(self) -> str:
        """Why it cannot be loaded here and what to do; empty if it can be loaded."""
        return requirements.missing(self.requires, self.needs)


def unchanged(value: Any) -> Any:
    """Return what it is given: how a file converts that defines no conversion."""
    return value


@dataclass(frozen=True)
class Implementation:
    """A loaded implementation of one workload; what its file leaves out gets its default."""

    name: str
    workload: Workload
    compute: Callable[..., Any]
    """The workload's function; its arguments are the prepared arrays, then the prepared layers."""
    prepare_layers: Callable[[Sequence[Layer]], Any] = unchanged
    prepare_array: tuple[Callable[[Any], Any], ...] = ()
    """A function for each array of the data that converts it, in order; empty if none does."""
    to_numpy: Callable[[Any], Any] = unchanged
    reuses_output: bool = False
    """Whether a call may overwrite the output of an earlier call."""
    thread_count: Callable[[], int] | None = None
    """Returns the number of threads that the framework reports; None if the file lacks it."""

    def prepare_data(self, data: Sequence[Any]) -> tuple[Any, ...]:
        """Convert the arrays of a batch into the form that `compute` expects."""
        if not self.prepare_array:
            return tuple(data)
        pairs = zip(self.prepare_array, data, strict=True)
        return tuple(prepare(array) for prepare, array in pairs)


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


def names_for(workload: Workload) -> list[str]:
    """Names of the suite's own implementations whose files define a workload's function."""
    return [name for name in names() if workload.function in describe(name).defines]


def summary_of(family: str) -> str:
    """What the implementations of a family have in common, in one line."""
    return ast.get_docstring(ast.parse((FOLDER / family / "__init__.py").read_bytes())) or ""


def members_of(reference: str) -> list[str]:
    """Names in the family, or in all families for `ALL`; empty if there is no such family."""
    return names() if reference == ALL else families().get(reference, [])


def is_builtin(path: Path) -> bool:
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
    """Read what an implementation's file says about itself, without running it.

    A file that does not parse has no summary; `load` says what is wrong with it.
    """
    path = find(reference)
    family = path.parent.name if is_builtin(path) else ""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, MemoryError, RecursionError):
        return Description(path.stem, path, family, summary="")
    constants: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Constant(value))
                | ast.AnnAssign(target=ast.Name(name), value=ast.Constant(value))
            ):
                constants[name] = value
    return Description(
        path.stem,
        path,
        family,
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        requires=str(constants.get("REQUIRES") or ""),
        needs=str(constants.get("NEEDS") or ""),
        compiles=bool(constants.get("COMPILES")),
        defines=frozenset(_defined_names(tree)),
    )


def _defined_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines when it is imported, even those under a condition."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
            continue  # names inside it are not the module's
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef):
                yield node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.alias):
                yield node.asname or node.name


def load(reference: str, workload: str = DEFAULT_WORKLOAD) -> Implementation:
    """Import an implementation, by name or path, and add the defaults for what it leaves out.

    Raises `MissingExtraError` if its framework is not installed or cannot be used. Raises
    `ImplementationError` if it does not parse, raises on import or lacks the workload's function.
    """
    loaded_workload = workloads.get(workload)
    description = describe(reference)
    if description.needs not in ("", requirements.COMPILER, requirements.GPU):
        raise ImplementationError(
            f"has NEEDS = {description.needs!r}: write {requirements.COMPILER!r} or "
            f"{requirements.GPU!r}"
        )
    if description.missing:
        raise MissingExtraError(description.missing)
    module = _import_file(description)
    compute = getattr(module, loaded_workload.function, None)
    if not callable(compute):
        raise ImplementationError(f"has no function {loaded_workload.signature}")
    return Implementation(
        name=description.name,
        workload=loaded_workload,
        compute=compute,
        prepare_layers=getattr(module, "prepare_layers", unchanged),
        prepare_array=tuple(
            getattr(module, name, unchanged) for name in loaded_workload.data.values()
        ),
        to_numpy=getattr(module, "to_numpy", unchanged),
        reuses_output=bool(getattr(module, "REUSES_OUTPUT", False)),
        thread_count=getattr(module, "thread_count", None),
    )


def _import_file(description: Description) -> ModuleType:
    """Import one file; it may import files from its own folder."""
    path = description.path
    if not is_builtin(path):
        sys.path.append(str(path.parent.resolve()))
    module_name = _module_name(path)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImplementationError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        raise ImplementationError(f"does not parse: {line}{one_line(error.msg)}") from error
    except ModuleNotFoundError as error:
        if error.name is None:
            raise ImplementationError(f"raised on import: {describe_error(error)}") from error
        raise MissingExtraError(requirements.missing_module(str(error.name))) from error
    except ImportError as error:
        if not description.requires:
            raise ImplementationError(f"raised on import: {describe_error(error)}") from error
        # The framework is installed but unusable: a library is missing, or it lacks this GPU.
        raise MissingExtraError(f"cannot be used here: {one_line(error)}") from error
    except Exception as error:  # a user's file may raise anything
        raise ImplementationError(f"raised on import: {describe_error(error)}") from error
    return module


def _module_name(path: Path) -> str:
    """The name of a file's module: its own, if an import of that name finds this file.

    Then a process that the file starts can import it as well. Otherwise the name is one that no
    other module has.
    """
    name = path.stem
    if name.isidentifier() and name not in sys.modules and not is_builtin(path):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None and Path(spec.origin).samefile(path):
            return name
    return f"forwardbench_implementation_{name}"


def output_arrays(implementation: Implementation, out: Any, dtype: str) -> list[Any]:
    """Convert the result of the workload's function into NumPy arrays, one or several.

    Python's numbers have no dtype. So lists and other objects without one are rounded to the
    case's dtype. Arrays keep their dtype, for the caller to check.
    """
    import numpy as np

    arrays = []
    arrays_of = implementation.workload.arrays_of
    for part, converted in zip(
        arrays_of(out), arrays_of(implementation.to_numpy(out)), strict=True
    ):
        array = np.asarray(converted)
        rounded = not hasattr(part, "dtype") and array.dtype in (np.float64, np.int64)
        arrays.append(array.astype(dtype) if rounded else array)
    return arrays
