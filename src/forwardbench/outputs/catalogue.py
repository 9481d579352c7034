"""The catalogue of charts and exports: every file in `charts` or `exports` is an entry.

A file describes itself by plain constants. They are read without importing the file, so that
``--help`` answers at once. There is no other list of the entries.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Entry:
    """What a file declares about itself."""

    name: str
    """The file's name, with hyphens."""
    module: str
    declared: dict[str, Any]
    """Its constants."""

    @property
    def needs(self) -> str:
        """Which parts of a bundle it needs: a name in `outputs.bundle.PARTS`."""
        return str(self.declared.get("NEEDS", ""))

    def load(self) -> ModuleType:
        """Import the file."""
        return importlib.import_module(self.module)


def chart_entries() -> list[Entry]:
    """Every chart, in teaching order.

    A file declares ORDER, QUESTION, HELP (how to read it), NEEDS (which parts of the bundle), and
    ``title(part)``, ``draw(part, view)`` and ``describe(part, title)``, the alternative text. It
    may declare LINEAR (whether values make sense on a linear scale), SHAPE (of its panels on the
    page: `wide` or `dense`), OWN_AXIS (whether its horizontal axis cannot be changed) and LACKING
    (the message if the chart is asked for and the results have no data for it).
    """
    return sorted(_entries("charts"), key=_order)


def export_entries() -> list[Entry]:
    """Every format that results can be written in.

    A file declares ORDER, SUMMARY, FILE (what its file is called) and ``write(bundle)``, which
    returns the text. It may declare KEPT (whether a run's folder holds it), OFFERED (whether
    the page offers it for download) and ``is_empty(bundle)``.
    """
    return sorted(_entries("exports"), key=_order)


def _order(entry: Entry) -> tuple[int, str]:
    return entry.declared["ORDER"], entry.name


def _entries(name: str) -> Iterator[Entry]:
    # Imported by name, because the files of these folders import this module.
    package = importlib.import_module(f"forwardbench.outputs.{name}")
    for folder in package.__path__:
        for path in Path(folder).glob("*.py"):
            if path.stem != "__init__":
                module = f"{package.__name__}.{path.stem}"
                yield Entry(path.stem.replace("_", "-"), module, _constants(path))


def _constants(path: Path) -> dict[str, Any]:
    """The constants with plain values that a file assigns at its top level."""
    constants = {}
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            with suppress(ValueError):  # a computed value declares nothing
                constants.update(dict.fromkeys(names, ast.literal_eval(node.value)))
    return constants
