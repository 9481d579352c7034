"""The case families that every implementation is checked on, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from forwardbench.cases import ACTIVATIONS, DTYPES, SWEEPS, Case, Layer, make_inputs, parse_case
from forwardbench.verification.reference import Sample, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

_CHECKED_ROWS = 250
"""Rows of a result that are compared; of larger batches, so many spread over it."""
_TERMS = 4
"""Weights a neuron keeps where most are made zero."""


@dataclass(frozen=True)
class Problem:
    """A case with the numbers to compute it on."""

    case: Case
    x: Array
    layers: list[Layer]

    @cached_property
    def known(self) -> Sample:
        """Compute the reference, for every place of the result or for many rows of it."""
        rows = np.unique(np.linspace(0, self.case.batch - 1, _CHECKED_ROWS).astype(int))
        return sample(self.x, self.layers, rows.tolist(), range(self.case.widths[-1]))


@cache
def problems() -> tuple[Problem, ...]:
    """Make every case family, in both dtypes; kept, for several implementations to share."""
    return tuple(_problems())


def _problems() -> Iterator[Problem]:
    for dtype in DTYPES:
        for case in SWEEPS["course"].cases:
            yield _seeded(replace(case, dtype=dtype))
        for shape in ("1x1-1", "1x1-3-1", "5x1-3", "6x6-6", "3x4-4-4", "17x65-9", "3x520-5"):
            yield _seeded(parse_case(shape, "sigmoid", dtype))
        for activation in ACTIVATIONS:
            for shape in ("5x7-3", "4x6-5-3-2", "1x5-3", "5x3-1", "1x4-1"):
                yield _seeded(parse_case(shape, activation, dtype))
            yield _zeros(parse_case("3x4-2", activation, dtype))
            yield _saturating(parse_case("4x3-5", activation, dtype))
            yield _ramp(parse_case("201x1-1", activation, dtype))
            yield _sparse(parse_case("37x34-66-10", activation, dtype))
        yield _mixed(parse_case("3x4-5-3-4-2-3", "tanh", dtype), "relu tanh sigmoid linear relu")
        yield _mixed(parse_case("3x5-5-5-5", "tanh", dtype), "tanh linear sigmoid")
        for shape, activation in (
            ("41x131-43", "sigmoid"), ("33x67-129", "relu"), ("4x8193-8", "linear"),
            ("6x1030-12", "tanh"), ("5x24-1030", "sigmoid"), ("40000x3-1", "linear"),
        ):  # fmt: skip
            yield _sparse(parse_case(shape, activation, dtype))


def _seeded(case: Case) -> Problem:
    return Problem(case, *make_inputs(case))


def _zeros(case: Case) -> Problem:
    x, layers = make_inputs(case)
    return Problem(case, np.zeros_like(x), layers)


def _saturating(case: Case) -> Problem:
    """Pre-activations from -1000 to 1000, where a careless exponential overflows."""
    return _ones(case, np.linspace(-1000, 1000, case.batch * case.widths[0]))


def _ramp(case: Case) -> Problem:
    """Pre-activations from -40 to 40 in small steps, where a cut-off would show."""
    return _ones(case, np.linspace(-40, 40, case.batch * case.widths[0]))


def _ones(case: Case, inputs: NDArray[np.float64]) -> Problem:
    """All weights 1 and no bias: each output is an activation of a sum of inputs."""
    _, layers = make_inputs(case)
    plain = [
        layer._replace(weights=np.ones_like(layer.weights), bias=np.zeros_like(layer.bias))
        for layer in layers
    ]
    return Problem(case, inputs.reshape(case.batch, -1).astype(case.dtype), plain)


def _mixed(case: Case, activations: str) -> Problem:
    """A network whose layers differ in their activations; the case names only one of them."""
    x, layers = make_inputs(case)
    names = activations.split()
    mixed = [layer._replace(activation=name) for layer, name in zip(layers, names, strict=True)]
    return Problem(case, x, mixed)


def _sparse(case: Case) -> Problem:
    """Few weights that are not zero: large shapes, each layer with a bound of few roundoffs.

    Reduced precision hides in the bound of a long dense product, and not in this.
    """
    x, layers = make_inputs(case)
    thin = [layer._replace(weights=sparse(layer.weights)) for layer in layers]
    return Problem(case, x, thin)


def sparse(weights: Array) -> Array:
    """Keep a few numbers of each column and make the others zero; the last row keeps some."""
    inputs, units = weights.shape
    step = max(1, inputs // _TERMS)
    kept = (np.arange(inputs)[::-1, None] * 7 + np.arange(units)) % step == 0
    return np.where(kept, weights, 0).astype(weights.dtype)


def copied(layers: Sequence[Layer]) -> list[Layer]:
    """Copy layers with their arrays, for an implementation to do with as it likes."""
    return [
        layer._replace(weights=layer.weights.copy(), bias=layer.bias.copy()) for layer in layers
    ]
