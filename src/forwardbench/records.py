"""The records of a run: its cells, their statuses, and the times of first calls."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from forwardbench.cases import ACTIVATIONS, DTYPES, Case, CaseError, parse_case
from forwardbench.errors import one_line
from forwardbench.files import read_json, reporting_bad_contents

DEFAULT_BASELINE = "python_loops"
"""The implementation that speedups are relative to by default."""
DEFAULT_WORKLOAD = "forward"
"""The workload by default. Older files name no workload and mean this one."""
COPIED_BYTES = 2**27
"""Size of the copy that measures the memory bandwidth: more than caches hold."""
FIRST_CALLS_FILE = "first-calls.json"
"""The file in a run's folder that holds the first calls."""


class Status(StrEnum):
    """The outcome of a cell."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    """Fitted from smaller sizes, never measured."""
    SKIPPED = "skipped"
    REJECTED = "rejected"
    """Its result was wrong."""
    FAILED = "failed"
    """It raised, crashed or took too long."""
    UNAVAILABLE = "unavailable"
    """It needs something that is not installed here."""


LEFT_OUT = (Status.SKIPPED, Status.REJECTED, Status.FAILED, Status.UNAVAILABLE)
"""The statuses, in `run.json`, of cells that were planned not to be measured."""


@dataclass(frozen=True)
class Cell:
    """One implementation on one case with one number of threads: one time in every pass."""

    implementation: str
    """The name that lists and reports show."""
    reference: str
    """The name or path that it is loaded by."""
    sweep: str
    case: Case
    threads: int = 1
    control: bool = False
    """Whether this measures an implementation a second time, to show the noise."""
    workload: str = DEFAULT_WORKLOAD

    def __str__(self) -> str:
        name = f"{self.label}-{self.sweep}-{self.case}-{self.case.dtype}-{self.threads}"
        return name if self.workload == DEFAULT_WORKLOAD else f"{name}-{self.workload}"

    @property
    def label(self) -> str:
        """The implementation's name, with `(control)` added for a control."""
        return self.implementation + (" (control)" if self.control else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Cell:
        """Rebuild a cell from the values that `to_json` made.

        Raises `KeyError`, `TypeError` or `ValueError` for anything that is not a cell.
        """
        case = values["case"]
        try:
            shape = parse_case(f"{case['batch']}x{'-'.join(map(str, case['widths']))}")
        except CaseError as error:  # the file is wrong, not something that the user typed
            raise ValueError(str(error)) from None
        workload = values.get("workload", DEFAULT_WORKLOAD)
        names = ("implementation", "reference", "sweep")
        texts = [*(values[name] for name in names), case["example"], workload]
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
        threads, control = values["threads"], values["control"]
        return cls(name, reference, sweep, case, threads, control, one_line(workload))


class FirstCall(NamedTuple):
    """One first call."""

    import_seconds: float
    """Time to import the implementation's file and its framework, with NumPy already imported."""
    seconds: float
    """Time to prepare layers and input and to make the first call of `forward`."""


@dataclass
class FirstCalls:
    """The first calls that were timed so far: what `first-calls.json` holds."""

    samples: dict[Cell, list[FirstCall]] = field(default_factory=dict)
    failures: dict[Cell, str] = field(default_factory=dict)
    """Cells whose first call failed, with the reason."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        return {
            "samples": [
                {"cell": cell.to_json(), **call._asdict()}
                for cell, calls in self.samples.items()
                for call in calls
            ],
            "failures": [
                {"cell": cell.to_json(), "reason": reason} for cell, reason in self.failures.items()
            ],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> FirstCalls:
        """Rebuild first calls from the values that `to_json` made, in `reporting_bad_contents`."""
        first_calls = cls()
        for item in document["samples"]:
            call = checked_first_call(item["import_seconds"], item["seconds"])
            first_calls.samples.setdefault(Cell.from_json(item["cell"]), []).append(call)
        for item in document["failures"]:
            first_calls.failures[Cell.from_json(item["cell"])] = one_line(item["reason"])
        return first_calls

    @classmethod
    def read(cls, folder: Path) -> FirstCalls:
        """Read the first calls of a run's folder, which may have none; raises `UserError`."""
        path = folder / FIRST_CALLS_FILE
        if not path.exists():
            return cls()
        document = read_json(path)
        with reporting_bad_contents(path):
            return cls.from_json(document)


def checked_first_call(import_seconds: Any, seconds: Any) -> FirstCall:
    """Return a first call with valid times; raises `TypeError` or `ValueError`."""
    for value in (import_seconds, seconds):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a time that is a {type(value).__name__}")
    if not (0 <= import_seconds < math.inf and 0 < seconds < math.inf):
        raise ValueError(f"a first call of {seconds} s after an import of {import_seconds} s")
    return FirstCall(float(import_seconds), float(seconds))
