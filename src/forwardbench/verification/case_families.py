"""The case families on which every implementation of a workload is checked."""

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
"""About so many weights of a neuron stay when the others are set to zero."""


@dataclass(frozen=True)
class Problem:
    """A case with its data and layers."""

    workload: Workload
    case: Case
    data: tuple[Array, ...]
    """The arrays of the batch, x first."""
    layers: list[Layer]

    @cached_property
    def answers(self) -> list[Answer]:
        """The correct result, computed at the first use."""
        return self.workload.answers(*self.data, self.layers)

    @property
    def x(self) -> Array:
        """The first of the data."""
        return self.data[0]

    def with_x(self, x: Array) -> Problem:
        """The same problem with another first array."""
        return replace(self, data=(x, *self.data[1:]))


@cache
def problems(workload: Workload) -> tuple[Problem, ...]:
    """Make every case family in both dtypes; cached, since several implementations use it."""
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
    """Pre-activations from -1000 to 1000: a careless exponential overflows here."""
    return _ones(problem.with_x(_line(problem.x, 1000)))


def _ramp(problem: Problem) -> Problem:
    """Pre-activations from -40 to 40 in small steps: an approximation with a cut-off fails here."""
    return _ones(problem.with_x(_line(problem.x, 40)))


def _line(x: Array, end: float) -> Array:
    """Evenly spaced numbers from ``-end`` to ``end``, in the shape and dtype of ``x``."""
    return np.linspace(-end, end, x.size).reshape(x.shape).astype(x.dtype)


def _ones(problem: Problem) -> Problem:
    """Set all weights to 1 and each bias to 0: each pre-activation is a sum of inputs."""
    plain = [
        layer._replace(weights=np.ones_like(layer.weights), bias=np.zeros_like(layer.bias))
        for layer in problem.layers
    ]
    return replace(problem, layers=plain)


def _mixed(problem: Problem, activations: str) -> Problem:
    """Give each layer its own activation; the case names only one of them."""
    pairs = zip(problem.layers, activations.split(), strict=True)
    return replace(problem, layers=[layer._replace(activation=name) for layer, name in pairs])


def _sparse(problem: Problem) -> Problem:
    """Set most weights to zero: the bound of a layer is then only a few roundoffs.

    The bound of a long dense product is so wide that reduced precision stays within it.
    """
    sparse_layers = [layer._replace(weights=sparse(layer.weights)) for layer in problem.layers]
    return replace(problem, layers=sparse_layers)


def sparse(weights: Array) -> Array:
    """Keep a few numbers of each column, some of them in the last row; set the others to zero."""
    inputs, units = weights.shape
    step = max(1, inputs // _TERMS)
    kept = (np.arange(inputs)[::-1, None] * 7 + np.arange(units)) % step == 0
    return np.where(kept, weights, 0).astype(weights.dtype)


def copy_layers(layers: Sequence[Layer]) -> list[Layer]:
    """Copy layers with their arrays, so that an implementation may change them."""
    return [
        layer._replace(weights=layer.weights.copy(), bias=layer.bias.copy()) for layer in layers
    ]
