"""Cells: one implementation on one case, dtype and thread count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from forwardbench.cases import ACTIVATIONS, DTYPES, Case, Sweep, parse_case
from forwardbench.errors import one_line


@dataclass(frozen=True)
class Cell:
    """What has one time in every pass."""

    implementation: str
    """The name that lists and reports show."""
    reference: str
    """The name or path that it is loaded by."""
    sweep: str
    case: Case
    threads: int = 1
    control: bool = False
    """Whether this is the second measurement of an implementation that has one already."""

    def __str__(self) -> str:
        return f"{self.label}-{self.sweep}-{self.case}-{self.case.dtype}-{self.threads}"

    @property
    def label(self) -> str:
        """The implementation's name; a control's says that it is one."""
        return self.implementation + (" (control)" if self.control else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Cell:
        """Rebuild a cell from `to_json`, after a trip through a file.

        Raises `KeyError`, `TypeError` or `ValueError` for anything that is not a cell.
        """
        case = values["case"]
        shape = parse_case(f"{case['batch']}x{'-'.join(map(str, case['widths']))}")
        texts = [values["implementation"], values["reference"], values["sweep"], case["example"]]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(f"names that are not texts: {texts}")
        if case["activation"] not in ACTIVATIONS or case["dtype"] not in DTYPES:
            raise ValueError(f"activation {case['activation']!r}, dtype {case['dtype']!r}")
        if type(values["threads"]) is not int or type(values["control"]) is not bool:
            raise TypeError(f"threads {values['threads']!r}, control {values['control']!r}")
        case = replace(
            shape, activation=case["activation"], dtype=case["dtype"], example=case["example"]
        )
        name, reference, sweep = one_line(texts[0]), texts[1], one_line(texts[2])
        return cls(name, reference, sweep, case, values["threads"], values["control"])


def cells_of(
    contenders: dict[str, str],
    sweeps: Sequence[Sweep],
    dtypes: Sequence[str],
    threads: Sequence[int],
) -> Iterator[Cell]:
    """Yield every cell of a run; ``contenders`` maps names to what they are loaded by."""
    for sweep in sweeps:
        for dtype in dtypes:
            for case in sweep.cases:
                for count in threads:
                    for name, reference in contenders.items():
                        yield Cell(name, reference, sweep.name, replace(case, dtype=dtype), count)
