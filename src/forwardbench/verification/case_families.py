"""The case families that every implementation of a workload is checked on, with their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from forwardbench.cases import ACTIVATIONS, DTYPES, Case, Layer, parse_case

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forwardbench.workloads import Answer, Workload

    Array = NDArray[np.floating]

_TERMS = 4
"""Weights a neuron keeps where most are made zero."""


@dataclass(frozen=True)
class Problem:
    """A case with the numbers to compute it on."""

    workload: Workload
    case: Case
    data: tuple[Array, ...]
    """The arrays of the batch, x first."""
    layers: list[Layer]

    @cached_property
    def answers(self) -> list[Answer]:
        """What is right, computed when it is first asked for."""
        return self.workload.answers(*self.data, self.layers)

    @property
    def x(self) -> Array:
        """The first of the data."""
        return self.data[0]

    def with_x(self, x: Array) -> Problem:
        """The same with another first array."""
        return replace(self, data=(x, *self.data[1:]))


@cache
def problems(workload: Workload) -> tuple[Problem, ...]:
    """Make every case family, in both dtypes; kept, for several implementations to share."""
    return tuple(_problems(partial(_seeded, workload), workload))


def _problems(seeded: Callable[[Case], Problem], workload: Workload) -> Iterator[Problem]:
    examples = [case for sweep in workload.sweeps.values() for case in sweep.cases if case.example]
    for dtype in DTYPES:
        for case in dict.fromkeys(examples):
            yield seeded(replace(case, dtype=dtype))
        for shape in ("1x1-1", "1x1-3-1", "5x1-3", "6x6-6", "3x4-4-4", "17x65-9", "3x520-5"):
            yield seeded(parse_case(shape, "sigmoid", dtype))
        for activation in ACTIVATIONS:
            for shape in ("5x7-3", "4x6-5-3-2", "1x5-3", "5x3-1", "1x4-1"):
                yield seeded(parse_case(shape, activation, dtype))
            yield _zeros(seeded(parse_case("3x4-2", activation, dtype)))
            yield _saturating(seeded(parse_case("4x3-5", activation, dtype)))
            yield _ramp(seeded(parse_case("201x1-1", activation, dtype)))
            yield _sparse(seeded(parse_case("37x34-66-10", activation, dtype)))
        for shape, activations in (
            ("3x4-5-3-4-2-3", "relu tanh sigmoid linear relu"),
            ("3x5-5-5-5", "tanh linear sigmoid"),
        ):
            yield _mixed(seeded(parse_case(shape, "tanh", dtype)), activations)
        for shape, activation in (
            ("41x131-43", "sigmoid"), ("33x67-129", "relu"), ("4x8193-8", "linear"),
            ("6x1030-12", "tanh"), ("5x24-1030", "sigmoid"), ("40000x3-1", "linear"),
        ):  # fmt: skip
            yield _sparse(seeded(parse_case(shape, activation, dtype)))
        for case, *data, layers in workload.problems(dtype):
            yield Problem(workload, case, tuple(data), layers)


def _seeded(workload: Workload, case: Case) -> Problem:
    return Problem(workload, case, *workload.inputs(case))


def _zeros(problem: Problem) -> Problem:
    return problem.with_x(np.zeros_like(problem.x))


def _saturating(problem: Problem) -> Problem:
    """Pre-activations from -1000 to 1000, where a careless exponential overflows."""
    return _ones(problem.with_x(_line(problem.x, 1000)))


def _ramp(problem: Problem) -> Problem:
    """Pre-activations from -40 to 40 in small steps, where a cut-off would show."""
    return _ones(problem.with_x(_line(problem.x, 40)))


def _line(x: Array, end: float) -> Array:
    """Numbers in even steps from one end to the other, in the shape and dtype of an array."""
    return np.linspace(-end, end, x.size).reshape(x.shape).astype(x.dtype)


def _ones(problem: Problem) -> Problem:
    """All weights 1 and no bias: each pre-activation is a sum of inputs."""
    plain = [
        layer._replace(weights=np.ones_like(layer.weights), bias=np.zeros_like(layer.bias))
        for layer in problem.layers
    ]
    return replace(problem, layers=plain)


def _mixed(problem: Problem, activations: str) -> Problem:
    """A network whose layers differ in their activations; the case names only one of them."""
    pairs = zip(problem.layers, activations.split(), strict=True)
    return replace(problem, layers=[layer._replace(activation=name) for layer, name in pairs])


def _sparse(problem: Problem) -> Problem:
    """Few weights that are not zero: large shapes, each layer with a bound of few roundoffs.

    Reduced precision hides in the bound of a long dense product, and not in this.
    """
    thin = [layer._replace(weights=sparse(layer.weights)) for layer in problem.layers]
    return replace(problem, layers=thin)


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
