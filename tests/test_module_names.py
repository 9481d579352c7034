"""Modules that are named in strings, which no import checks."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

import forwardbench
from forwardbench.measure import fingerprint

PACKAGE = Path(forwardbench.__file__).parent
ROOT = Path(__file__).parents[1]
SOURCES = sorted([*PACKAGE.rglob("*.py"), *ROOT.glob("studies/**/*.py")])
NO_PART_IN_TIMES = {"__init__.py", "errors.py", "files.py", "units.py"}
"""Words, and how files are written: they may change without any time meaning something else."""


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def text_of(node: ast.AST) -> str:
    """The string that a node is; none if it is something else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def names_called_with(function: str) -> Iterator[tuple[str, str]]:
    """Yield each file that calls a function, with the string that is its first argument."""
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and node.args:
                called = ast.unparse(node.func)
                if called == function or called.endswith(f".{function}"):
                    yield path.name, text_of(node.args[0])


def names_after_m() -> Iterator[tuple[str, str]]:
    """Yield each file that starts ``python -m NAME``, with the name."""
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.List | ast.Tuple | ast.Call):
                words = node.args if isinstance(node, ast.Call) else node.elts
                for option, name in pairwise(words):
                    if text_of(option) == "-m":
                        yield path.name, text_of(name)


CHILDREN = sorted({name for _, name in names_called_with("processes.call")})
RAISED = sorted({name for _, name in names_called_with("Upbringing")})
"""Modules that answer in a process of their own; and those whose processes obey commands."""
STARTED = sorted({name for _, name in names_after_m() if name.split(".")[0] == "forwardbench"})


def source_of(module: str) -> Path:
    """The file of a module, or an error that says which name leads nowhere."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    assert spec is not None, f"there is no module {module!r}"
    assert spec.origin is not None, f"{module!r} is a folder without code"
    return Path(spec.origin)


def functions_of(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions that a file defines at its top, by name."""
    return {node.name: node for node in parsed(path).body if isinstance(node, ast.FunctionDef)}


def test_every_way_to_name_a_module_is_found() -> None:
    """The scan sees children, ``python -m`` and package data, each named by a plain string."""
    assert len(CHILDREN) >= 1
    assert len(RAISED) >= 2
    assert len(STARTED) >= 3
    named = [*names_called_with("processes.call"), *names_called_with("files"), *names_after_m()]
    assert not [path for path, name in named if not name]


@pytest.mark.parametrize("module", CHILDREN)
def test_a_child_has_a_main_that_takes_its_link(module: str) -> None:
    """What `processes.call` is told exists and has ``main(link)``."""
    main = functions_of(source_of(module)).get("main")
    assert main is not None
    assert len(main.args.args) == 1


@pytest.mark.parametrize("module", RAISED)
def test_what_a_nursery_loads_can_prepare_and_serve(module: str) -> None:
    """Its module has ``prepare(task)`` and ``serve(connection, task)``."""
    functions = functions_of(source_of(module))
    assert len(functions["prepare"].args.args) == 1
    assert len(functions["serve"].args.args) == 2


@pytest.mark.parametrize("module", STARTED)
def test_what_python_m_is_told_can_be_started(module: str) -> None:
    """It is a package with ``__main__``, or a file that does something when it is started."""
    path = source_of(module)
    if path.name == "__init__.py":
        source_of(f"{module}.__main__")
    else:
        tests = [ast.unparse(node.test) for node in parsed(path).body if isinstance(node, ast.If)]
        assert "__name__ == '__main__'" in tests


def test_every_other_name_in_a_string_is_a_module() -> None:
    """A whole string like ``forwardbench.measure.worker`` names something that exists."""
    names = {text_of(node) for path in SOURCES for node in ast.walk(parsed(path))}
    modules = {name for name in names if re.fullmatch(r"forwardbench(\.\w+)+", name)}
    assert modules >= set(CHILDREN)
    for module in modules:
        source_of(module)


def test_the_command_and_package_data_are_where_they_are_sought() -> None:
    """The entry point is a function; files are read from folders that are packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for target in project["scripts"].values():
        module, _, function = target.partition(":")
        assert function in functions_of(source_of(module))
    packages = {name for _, name in names_called_with("files")}
    assert packages
    assert all(source_of(package).name == "__init__.py" for package in packages)


def test_pytest_finds_a_test_in_the_worker_s_benchmark_file() -> None:
    """The file whose path a worker gives to pytest has a function that pytest collects."""
    from forwardbench.measure import benchmark_file

    assert [name for name in functions_of(Path(benchmark_file.__file__)) if name.startswith("test")]


def loaded_by_children() -> set[Path]:
    """Files of the package that measuring children import, at once or when a function is called."""
    graph = grimp.build_graph("forwardbench", cache_dir=None, exclude_type_checking_imports=True)
    # The package itself imports the rest only when `forwardbench.load` or `.run` is called.
    for imported in graph.find_modules_directly_imported_by("forwardbench"):
        graph.remove_import(importer="forwardbench", imported=imported)
    children = [*CHILDREN, *RAISED]
    modules = set(children).union(*(graph.find_upstream_modules(each) for each in children))
    code = (
        f"import sys, {', '.join(children)}\n"
        "print(*(name for name in sys.modules if name.partition('.')[0] == 'forwardbench'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {source_of(module) for module in modules.union(done.stdout.split())}


def test_the_fingerprint_covers_what_measuring_children_load() -> None:
    """No file that decides what a time means can change, or move away, unnoticed."""
    covered = {path for each in fingerprint._MEASURING for path in PACKAGE.glob(each)}
    loaded = loaded_by_children()
    assert len(loaded) >= 20
    missing = {str(path.relative_to(PACKAGE)) for path in loaded - covered}
    assert missing <= NO_PART_IN_TIMES


@pytest.mark.parametrize("pattern", fingerprint._MEASURING)
def test_every_pattern_of_the_fingerprint_matches_a_file(pattern: str) -> None:
    """A folder that was renamed is missed at once, also one that no child loads."""
    assert list(PACKAGE.glob(pattern))
