"""What is computed: cases, the sweeps that group them, and their inputs.

This module is imported by ``--help`` and ``list``, so NumPy is imported only
where arrays are made.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from forwardbench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

WORKLOAD_VERSION = 1
"""Changes whenever a case's inputs do: times from two versions are not comparable."""

ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")
DTYPES = ("float64", "float32")
DTYPE_BYTES = {"float64": 8, "float32": 4}

# Numbers from 1, of at most nine digits: larger ones are typing errors, not layers.
_NOTATION = re.compile(r"([1-9][0-9]{0,8})x([1-9][0-9]{0,8}(?:-[1-9][0-9]{0,8})+)")


class CaseError(UserError):
    """A case, sweep, activation or dtype that does not exist, in one line for people."""


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
    """One problem: a batch through dense layers of the given widths."""

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

    @property
    def multiply_adds(self) -> int:
        """Multiply-add pairs in the matrix products of one forward pass."""
        return self.batch * sum(inputs * units for inputs, units in self.layer_shapes)

    @property
    def outputs(self) -> int:
        """Activations computed in one forward pass, over all layers."""
        return self.batch * sum(self.widths[1:])

    @property
    def bytes(self) -> int:
        """Bytes of the input, all weights and biases, and every layer's activations."""
        weights = sum((inputs + 1) * units for inputs, units in self.layer_shapes)
        return (weights + self.batch * sum(self.widths)) * DTYPE_BYTES[self.dtype]

    def smaller(self) -> Iterator[Case]:
        """Yield this case halved in every dimension, again and again, down to all ones."""
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
    """What grows from case to case: `batch` or `inputs`; empty where nothing does."""
    cases: tuple[Case, ...]


_POWERS = tuple(2**k for k in range(11))

# The worked examples of the course notes: inputs (batch, inputs), weights (inputs, units), bias.
EXAMPLES: dict[str, tuple[list[list[float]], list[list[float]], list[float]]] = {
    "coffee": ([[200, 17]], [[1, -3, 5], [-2, 4, -6]], [-1, 1, 2]),
    "pair": ([[0.5, 1.2]], [[1.2, -3.0], [1.5, 4.0]], [0.5, -0.5]),
    "lesson": (
        [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]],
        [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]],
        [0.1, 0.2],
    ),
}
TEN_THOUSAND = "ten thousand"
"""The example whose inputs and weights are uniform in [0, 1) and whose bias is 0.5."""

SWEEPS: dict[str, Sweep] = {
    sweep.name: sweep
    for sweep in (
        Sweep(
            "square",
            "batch = inputs = units, from 1 to 1024",
            "batch",
            tuple(Case(n, (n, n)) for n in _POWERS),
        ),
        Sweep(
            "sample",
            "one example through a square layer, from 1 to 4096 inputs",
            "inputs",
            tuple(Case(1, (n, n)) for n in (*_POWERS, 2048, 4096)),
        ),
        Sweep(
            "batch",
            "3 inputs into 1 output, from 1 to 100,000 examples",
            "batch",
            tuple(Case(n, (3, 1), "linear") for n in (1, 10, 100, 1000, 10_000, 100_000)),
        ),
        Sweep(
            "mlp",
            "784-128-64-10 with rectified units, batch from 1 to 1024",
            "batch",
            tuple(Case(n, (784, 128, 64, 10), "relu") for n in _POWERS),
        ),
        Sweep(
            "course",
            "the worked examples of the course notes",
            "",
            (
                Case(1, (2, 3), "sigmoid", example="coffee"),
                Case(1, (2, 2), "sigmoid", example="pair"),
                Case(3, (4, 2), "linear", example="lesson"),
                Case(10_000, (3, 1), "linear", example=TEN_THOUSAND),
            ),
        ),
    )
}


def sweep(name: str) -> Sweep:
    """Return the sweep of that name, or raise `CaseError` naming the ones there are."""
    if name not in SWEEPS:
        raise CaseError(f"there is no sweep {name!r}: choose from {', '.join(SWEEPS)}")
    return SWEEPS[name]


def make_inputs(case: Case) -> tuple[NDArray[np.floating], list[Layer]]:
    """Make a case's batch, shape (batch, inputs), and its layers; the same on every machine.

    Seeded numbers come from the raw PCG64 stream, which NumPy keeps stable across versions,
    and from operations that IEEE 754 rounds correctly, so every machine gets the same bits.
    Weights follow Glorot and Bengio (2010), so activations neither vanish nor saturate.
    """
    return make_rows(case, 0, case.batch), make_layers(case)


def make_rows(case: Case, start: int, stop: int) -> NDArray[np.floating]:
    """Make some rows of a case's batch, shape (stop - start, inputs), and none of the others."""
    import numpy as np

    inputs = case.widths[0]
    if case.example in EXAMPLES:
        return np.array(EXAMPLES[case.example][0][start:stop], case.dtype).reshape(-1, inputs)
    uniform = _uniform_stream(case, start * inputs)(stop - start, inputs)
    return (uniform if case.example == TEN_THOUSAND else 2 * uniform - 1).astype(case.dtype)


def make_layers(case: Case) -> list[Layer]:
    """Make a case's layers without its batch."""
    import numpy as np

    if case.example in EXAMPLES:
        weights, bias = (np.array(part, case.dtype) for part in EXAMPLES[case.example][1:])
        return [Layer(weights, bias, case.activation)]
    uniform = _uniform_stream(case, case.batch * case.widths[0])  # the batch comes first
    if case.example == TEN_THOUSAND:
        weights = uniform(*case.widths).astype(case.dtype)
        return [Layer(weights, np.array([0.5], case.dtype), case.activation)]
    layers = []
    for inputs, units in case.layer_shapes:
        limit = np.sqrt(6 / (inputs + units))
        weights = ((2 * uniform(inputs, units) - 1) * limit).astype(case.dtype)
        bias = (uniform(units) - 0.5).astype(case.dtype)
        layers.append(Layer(weights, bias, case.activation))
    return layers


def _uniform_stream(case: Case, skipped: int) -> Callable[..., NDArray[np.float64]]:
    """Return a source of float64 arrays, uniform in [0, 1), that belongs to one shape of case.

    ``skipped`` is how many numbers of it are passed over.
    """
    import numpy as np

    # The dtype stays out of the seed: both dtypes get the same numbers, rounded.
    digest = hashlib.sha256(f"{WORKLOAD_VERSION} {case} {case.example}".encode()).digest()
    bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))
    bits.advance(skipped)

    def uniform(*shape: int) -> NDArray[np.float64]:
        raw = np.asarray(bits.random_raw(math.prod(shape)), np.uint64)
        # The top 53 bits make a float64 in [0, 1) without rounding.
        return ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)

    return uniform
