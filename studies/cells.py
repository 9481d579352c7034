"""The cells that every method times twice: identical code, so the true ratio is 1."""

from collections.abc import Callable, Iterator
from typing import Any

from forwardbench.cases import parse_case
from forwardbench.implementations import load
from forwardbench.workloads.forward import make_inputs

RUNGS = ("python_loops", "neuron_dot", "matmul")
SHAPES = ("1x2-3", "8x8-8", "64x64-64", "1x256-256")
LABELS = ("first", "second")
NAMES = [f"{rung} {shape}" for rung in RUNGS for shape in SHAPES]


def call(name: str) -> tuple[Callable[..., Any], tuple[Any, Any]]:
    """Prepare a cell on arrays of its own; return the function to time and its arguments."""
    rung, shape = name.split()
    implementation = load(rung)
    x, layers = make_inputs(parse_case(shape))
    ready, (prepared,) = implementation.prepare_layers(layers), implementation.prepare_data([x])
    return implementation.compute, (prepared, ready)


def pairs() -> Iterator[tuple[str, str]]:
    """Yield every name with every label, a pair side by side."""
    for name in NAMES:
        for label in LABELS:
            yield name, label
