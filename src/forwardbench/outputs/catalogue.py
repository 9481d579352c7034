"""The catalogue of all that can be drawn or written: a file in `charts` or `exports` is an entry.

A file declares what it is in plain constants, which are read without importing it, so that
``--help`` answers at once. Nothing lists the entries a second time.
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
    """What a file declares of itself."""

    name: str
    """The file's name, with hyphens."""
    module: str
    declared: dict[str, Any]
    """Its constants."""

    @property
    def needs(self) -> str:
        """What of a bundle it needs: a name in `outputs.bundle.PARTS`."""
        return str(self.declared.get("NEEDS", ""))

    def load(self) -> ModuleType:
        """Import it."""
        return importlib.import_module(self.module)


def chart_entries() -> list[Entry]:
    """Every chart, in teaching order.

    A file declares ORDER, QUESTION, HELP (how to read it), NEEDS (what of the bundle), and
    ``title(part)``, ``draw(part, view)`` and ``describe(part, title)``, its text for those who
    do not see it. It may declare LINEAR (whether values make sense on a linear scale), SHAPE (its
    panels on the page: `wide` or `dense`), OWN_AXIS (whether nothing else can be along its
    axis) and LACKING (what to say where it is asked for and results have nothing for it).
    """
    return sorted(_entries("charts"), key=_order)


def export_entries() -> list[Entry]:
    """Every form that results can be written in.

    A file declares ORDER, SUMMARY, FILE (what its file is called) and ``write(bundle)``, which
    returns the text. It may declare KEPT (whether a run's folder holds it), OFFERED (whether
    the page offers it) and ``is_empty(bundle)``.
    """
    return sorted(_entries("exports"), key=_order)


def _order(entry: Entry) -> tuple[int, str]:
    return entry.declared["ORDER"], entry.name


def _entries(name: str) -> Iterator[Entry]:
    # By name: files of these folders import this module, and not the other way round.
    package = importlib.import_module(f"forwardbench.outputs.{name}")
    for folder in package.__path__:
        for path in Path(folder).glob("*.py"):
            if path.stem != "__init__":
                module = f"{package.__name__}.{path.stem}"
                yield Entry(path.stem.replace("_", "-"), module, _constants(path))


def _constants(path: Path) -> dict[str, Any]:
    """The constants that a file assigns at its top level, as far as they are plain."""
    found = {}
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            with suppress(ValueError):  # computed, so nothing that is declared
                found.update(dict.fromkeys(names, ast.literal_eval(node.value)))
    return found
