"""The case families on which every implementation of a workload is checked.

Some are always the same. Others are drawn anew for each verification, so that no implementation can
be made to be right only where it is looked at.
"""

from __future__ import annotations

import random
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
    seed: int = 0
    """Draws the places that are compared."""
    drawn: bool = False
    """Whether the problem itself is new in each verification."""

    @cached_property
    def answers(self) -> list[Answer]:
        """The correct result in many places, computed at the first use."""
        return self.workload.answers(*self.data, self.layers, seed=self.seed)

    @cached_property
    def nearly(self) -> list[Answer]:
        """Nearly the correct result in every place.

        Nothing if `answers` is in every place already, or if there is no quick way to it.
        """
        nearly = self.workload.nearly
        if nearly is None or all(a.expected.shape == a.shape for a in self.answers):
            return []
        return nearly(*self.data, self.layers)

    @property
    def x(self) -> Array:
        """The first of the data."""
        return self.data[0]

    def with_x(self, x: Array) -> Problem:
        """The same problem with another first array."""
        return replace(self, data=(x, *self.data[1:]))


@cache
def problems(workload: Workload, seed: int = 0) -> tuple[Problem, ...]:
    """Make every case family in both dtypes; cached, since several implementations use it.

    ``seed`` draws the problems that differ from one verification to the next.
    """
    known = _problems(partial(_seeded, workload), workload)
    drawn = drawn_problems(partial(_seeded, workload), random.Random(seed))
    return tuple(
        replace(problem, seed=seed, drawn=is_drawn)
        for some, is_drawn in ((known, False), (drawn, True))
        for problem in some
    )


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


def drawn_problems(seeded: Callable[[Case], Problem], source: random.Random) -> Iterator[Problem]:
    """Draw shapes, depths, activations and magnitudes, and numbers around the bends of curves."""
    for dtype in DTYPES:
        for activation in ACTIVATIONS:
            ramp = seeded(parse_case(f"{_RAMP}x1-1", activation, dtype))
            yield _ones(ramp.with_x(_drawn_line(ramp.x, source)))
        for depth in (*(source.randint(1, 9) for _ in range(_DRAWN)), source.randint(10, 14)):
            widths = [_draw_width(source) for _ in range(depth + 1)]
            case = parse_case(f"{_draw_width(source)}x{'-'.join(map(str, widths))}", "tanh", dtype)
            problem = seeded(case)
            if source.random() < 0.5:
                problem = _without_bias(problem)
            if source.random() < 0.3:
                problem = _sparse(problem)
            activations = " ".join(source.choice(ACTIVATIONS) for _ in range(depth))
            yield _mixed(problem, activations)
        for exponent in range(-12, 9, 2):  # of ten; one magnitude in each stretch
            shape = f"{_draw_width(source)}x{_draw_width(source)}-{_draw_width(source)}"
            activation = source.choice(("linear", "relu"))
            problem = _without_bias(seeded(parse_case(shape, activation, dtype)))
            yield problem.with_x(_scaled(problem.x, 10 ** (exponent + 2 * source.random())))


_DRAWN = 6
"""So many networks of any depth are drawn for each dtype."""
_RAMP = 1500
"""Numbers at which each activation is computed."""


def _draw_width(source: random.Random) -> int:
    """A width from 1 to 48; small and large ones are as likely as each other on a log scale."""
    return int(48 ** source.random())


def _drawn_line(x: Array, source: random.Random) -> Array:
    """Numbers from -40 to 40, closest together where activations bend."""
    drawn = [40 * source.uniform(-1, 1) * source.random() for _ in range(x.size)]
    return np.array(drawn).reshape(x.shape).astype(x.dtype)


def _scaled(x: Array, factor: float) -> Array:
    return (x * x.dtype.type(factor)).astype(x.dtype)


def _without_bias(problem: Problem) -> Problem:
    """Set each bias to zero, beside which tiny numbers would not count."""
    plain = [layer._replace(bias=np.zeros_like(layer.bias)) for layer in problem.layers]
    return replace(problem, layers=plain)


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
