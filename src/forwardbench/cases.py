"""A case: a batch size, layer widths, an activation and a dtype; and its notation.

A workload says what is computed for a case. ``--help`` and ``list`` import this module, so it
imports no NumPy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from forwardbench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")
DTYPES = ("float64", "float32")
DTYPE_BYTES = {"float64": 8, "float32": 4}

# Numbers from 1 with at most nine digits: a larger number is a typing error.
_NOTATION = re.compile(r"([1-9][0-9]{0,8})x([1-9][0-9]{0,8}(?:-[1-9][0-9]{0,8})+)")


class CaseError(UserError):
    """A case, sweep, activation or dtype does not exist; the message is one line for people."""


class Layer(NamedTuple):
    """One dense layer, ``activation(a_in @ weights + bias)``."""

    weights: NDArray[np.floating]
    """Shape (inputs, units): one column per neuron."""
    bias: NDArray[np.floating]
    """Shape (units,)."""
    activation: str
    """One of `ACTIVATIONS`."""


@dataclass(frozen=True)
class Case:
    """One problem: a batch that passes through dense layers of the given widths."""

    batch: int
    widths: tuple[int, ...]
    activation: str = "sigmoid"
    dtype: str = "float64"
    example: str = ""
    """The name of the worked example whose numbers are used; empty for seeded inputs."""

    def __str__(self) -> str:
        return f"{self.batch}x{'-'.join(map(str, self.widths))}"

    @property
    def layer_shapes(self) -> list[tuple[int, int]]:
        """(inputs, units) of each layer."""
        return list(pairwise(self.widths))

    def smaller(self) -> Iterator[Case]:
        """Halve every dimension again and again until all are 1; yield each of these cases."""
        case = self
        while max(case.batch, *case.widths) > 1:
            halves = tuple(max(1, width // 2) for width in case.widths)
            case = replace(case, batch=max(1, case.batch // 2), widths=halves, example="")
            yield case


def parse_case(text: str, activation: str = "sigmoid", dtype: str = "float64") -> Case:
    """Read the notation ``BATCHxINPUTS-UNITS[-UNITS...]``, the inverse of ``str(case)``.

    Raises `CaseError` for anything else.
    """
    match = _NOTATION.fullmatch(text)
    if match is None:
        raise CaseError(
            f"{text!r} is not a case: write BATCHxINPUTS-UNITS, as in 64x784-128-10 "
            "(batch 64, 784 inputs, 128 hidden units, 10 outputs)"
        )
    return Case(int(match[1]), tuple(map(int, match[2].split("-"))), activation, dtype)


@dataclass(frozen=True)
class Sweep:
    """A named list of cases along one axis."""

    name: str
    summary: str
    axis: str
    """What grows from case to case: `batch` or `inputs`; empty if nothing grows."""
    cases: tuple[Case, ...]

    def every_second(self) -> Sweep:
        """The same with every second size from the second on; unchanged if nothing grows.

        Of an odd number of sizes, the largest is left out: it takes longer than all others.
        """
        grows = bool(self.axis) and len(self.cases) > 1
        return replace(self, cases=self.cases[1::2]) if grows else self
