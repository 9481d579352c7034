"""Forward propagation: a batch through dense layers, ``a = g(a @ weights + bias)`` for each.

The reference sums exactly and shares no code with the implementations that it judges. Its error
bound is derived from Higham's bound for inner products (`forwardbench.statistics.exact`) and
carried from layer to layer. Terms that are exactly zero add no rounding error, so they are not
counted. This keeps the bound tight for large sparse inputs. For dense inputs of that size it would
be so wide that reduced precision went unnoticed.

``--help`` and ``list`` import this module, so NumPy is imported only where arrays are made.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from forwardbench.cases import DTYPE_BYTES, Case, Layer, Sweep, parse_case
from forwardbench.workloads import Answer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating]
    Exact = NDArray[np.float64]

VERSION = 1
FUNCTION = "forward"
DATA = {"x": "prepare_input"}
DEFAULT_SWEEPS = ("square", "course")

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

# An implementation may postpone its work always, or only for large batches, many units or several
# layers. Half a million multiply-adds take far longer than reading a result, on a busy machine too.
LITTLE_AND_MUCH = (
    *(
        (parse_case(little, "linear"), parse_case(much, "linear"))
        for little, much in (
            ("4x8-8", "4x16384-8"),
            ("64x8-8", "64x2048-8"),
            ("4x8-512", "4x256-512"),
            ("4x8-8", "4x128-1024-8"),
            ("4x8-8-8", "4x8-8192-8"),
        )
    ),
    (parse_case("256x4-256", "linear"), parse_case("256x4-256", "tanh")),
)


# --- work ------------------------------------------------------------------------------


def count_multiply_adds(case: Case) -> int:
    """Multiply-add pairs in the matrix products of one forward pass."""
    return case.batch * sum(inputs * units for inputs, units in case.layer_shapes)


def count_outputs(case: Case) -> int:
    """Activations computed in one forward pass, over all layers."""
    return case.batch * sum(case.widths[1:])


def count_bytes(case: Case) -> int:
    """Bytes of the input, all weights and biases, and every layer's activations."""
    weights = sum((inputs + 1) * units for inputs, units in case.layer_shapes)
    return (weights + case.batch * sum(case.widths)) * DTYPE_BYTES[case.dtype]


# --- inputs ----------------------------------------------------------------------------


def make_inputs(case: Case) -> tuple[Array, list[Layer]]:
    """Make a case's batch, shape (batch, inputs), and its layers; the same on every machine.

    Seeded numbers come from the raw PCG64 stream, which NumPy keeps stable across versions,
    and from operations that IEEE 754 rounds correctly, so every machine gets the same bits.
    Weights follow Glorot and Bengio (2010), so activations neither vanish nor saturate.
    """
    return make_rows(case, 0, case.batch), make_layers(case)


def make_rows(case: Case, start: int, stop: int) -> Array:
    """Make only some rows of a case's batch, shape (stop - start, inputs)."""
    import numpy as np

    inputs = case.widths[0]
    if case.example in EXAMPLES:
        return np.array(EXAMPLES[case.example][0][start:stop], case.dtype).reshape(-1, inputs)
    uniform = uniform_stream(case, start * inputs)(stop - start, inputs)
    return (uniform if case.example == TEN_THOUSAND else 2 * uniform - 1).astype(case.dtype)


def make_layers(case: Case) -> list[Layer]:
    """Make a case's layers without its batch."""
    import numpy as np

    if case.example in EXAMPLES:
        weights, bias = (np.array(part, case.dtype) for part in EXAMPLES[case.example][1:])
        return [Layer(weights, bias, case.activation)]
    uniform = uniform_stream(case, case.batch * case.widths[0])  # the batch comes first
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


def uniform_stream(case: Case, skipped: int) -> Callable[..., Exact]:
    """Return a source of float64 arrays, uniform in [0, 1), whose numbers depend on the case.

    ``skipped`` is how many of its first numbers are left out.
    """
    import numpy as np

    # The dtype stays out of the seed: both dtypes get the same numbers, rounded.
    digest = hashlib.sha256(f"{VERSION} {case} {case.example}".encode()).digest()
    bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))
    bits.advance(skipped)

    def uniform(*shape: int) -> Exact:
        raw = np.asarray(bits.random_raw(math.prod(shape)), np.uint64)
        # The top 53 bits make a float64 in [0, 1) without rounding.
        return ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)

    return uniform


# --- the reference, and the bound on its error ----------------------------------------

SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "linear": 1.0}
"""Largest slope of each activation: the factor by which it can enlarge an error."""
EVALUATION_ULPS = {"sigmoid": 8, "tanh": 8, "relu": 0, "linear": 0}
"""Unit roundoffs that a correct elementary function may add. Libraries promise 1 to 4 units in
the last place, and the sigmoid needs a few more operations."""

_ROWS = 250
"""Most rows that verification compares exactly; in larger batches they are drawn."""
_FEW_ROWS, _FEW_PRODUCTS, _FEW_UNITS = 8, 2**16, 64
"""At most so many rows, exact products and units of a timed result are compared. More would take
too long.
"""


class ExactLayer(NamedTuple):
    """One layer computed exactly, with bounds on the rounding errors of any correct computation."""

    z: Exact
    """Before the activation, shape (batch, units)."""
    z_error: Exact
    a: Exact
    """After the activation, of the same shape."""
    a_error: Exact
    a_typical: Exact
    """About how large errors are when roundings are as often up as down; at most ``a_error``."""


def answers(x: Array, layers: Sequence[Layer], *, few: bool = False, seed: int = 0) -> list[Answer]:
    """The correct result: in every place or, for a large batch, in many rows; or only in few.

    ``seed`` draws the rows and units.
    """
    units = len(layers[-1].bias)
    if not few:
        return answers_at(x, layers, _draw(len(x), _ROWS, seed), range(units))
    *hidden, last = layers
    row_work = sum(layer.weights.size for layer in hidden)
    row_work += len(last.weights) * min(units, _FEW_UNITS)
    count = max(1, min(_FEW_ROWS, _FEW_PRODUCTS // row_work))
    return answers_at(x, layers, _draw(len(x), count, seed), _draw(units, _FEW_UNITS, seed))


def answers_at(
    x: Array, layers: Sequence[Layer], rows: Sequence[int], units: Sequence[int]
) -> list[Answer]:
    """The correct result in some rows of the batch and some units of the last layer."""
    import numpy as np

    *hidden, last = layers
    chosen = last._replace(weights=last.weights[:, list(units)], bias=last.bias[list(units)])
    exact = list(exact_layers(x[list(rows)], [*hidden, chosen]))
    bound = exact[-1].a_error + np.finfo(x.dtype).tiny  # for products that underflow
    typical = math.sqrt(float(np.mean(np.square(exact[-1].a_typical / bound))))
    shape = len(x), len(last.bias)
    return [Answer(shape, (rows, units), exact[-1].a, bound, typical_share=typical)]


def nearly(x: Array, layers: Sequence[Layer]) -> list[Answer]:
    """Nearly the correct result, in every place: by products in double precision.

    Its own error may be as large as the bound, so it is compared with twice the bound. The bound
    is that of `exact_layers`, with the product of two norms in place of each sum of products: by
    Cauchy and Schwarz it is at least as large.
    """
    import numpy as np

    from forwardbench.statistics.exact import UNIT_ROUNDOFF, gamma

    u = UNIT_ROUNDOFF[x.dtype.name]
    a: Exact = x.astype(np.float64)
    error = np.zeros((len(x), 1))  # the norm of each row's error
    for layer in layers:
        weights, bias = (part.astype(np.float64) for part in (layer.weights, layer.bias))
        reach = np.linalg.norm(a, axis=1, keepdims=True) + error
        size = np.linalg.norm(weights, axis=0)
        terms = np.array(len(weights) + 1.0)
        bound = gamma(terms, u) * (reach * size + np.abs(bias)) + error * size
        a = activate(a @ weights + bias, layer.activation)
        bound = SLOPE[layer.activation] * bound + EVALUATION_ULPS[layer.activation] * u
        error = np.linalg.norm(bound, axis=1, keepdims=True)
    everywhere = tuple(range(length) for length in a.shape)
    return [Answer(a.shape, everywhere, a, 2 * (bound + np.finfo(x.dtype).tiny))]


def _draw(length: int, count: int, seed: int) -> list[int]:
    """Draw ``count`` indices below ``length``, or all; the first and the last are among them."""
    if length <= count:
        return list(range(length))
    ends = [0, length - 1] if count > 1 else []
    drawn = random.Random(f"{seed} {length}").sample(range(length), count)
    return sorted({*ends, *drawn[len(ends) :]})


def reference(x: Array, layers: Sequence[Layer]) -> tuple[Exact, Exact]:
    """Activations of the last layer, and a bound on the error of any correct computation.

    Both are float64 and have shape (batch, units). The bound is absolute and holds for
    any order of summation in ``x``'s dtype.
    """
    import numpy as np

    *_, last = exact_layers(x, layers)
    return last.a, last.a_error + np.finfo(x.dtype).tiny  # for products that underflow


def exact_layers(x: Array, layers: Sequence[Layer]) -> Iterator[ExactLayer]:
    """Compute the layers in turn, each from the exact activations of the previous one."""
    import numpy as np

    from forwardbench.statistics.exact import UNIT_ROUNDOFF, exact_products, gamma

    u = UNIT_ROUNDOFF[x.dtype.name]
    u_reference = UNIT_ROUNDOFF["float64"]
    a = x.astype(np.float64)
    error = typical = np.zeros_like(a)
    for layer in layers:
        size = np.abs(layer.weights.astype(np.float64))
        reach = np.abs(a) + error  # no computed input is larger than this
        magnitude = reach @ size + np.abs(layer.bias.astype(np.float64))
        terms = _count_terms(reach, size) + 1  # the bias is one more
        z = exact_products(a, layer.weights, layer.bias)
        z_error = gamma(terms, u) * magnitude + u_reference * np.abs(z)
        z_typical = np.minimum(np.sqrt(terms) * u, gamma(terms, u)) * magnitude
        if error.any():
            z_error += error @ size
            z_typical = np.hypot(z_typical, np.sqrt(typical**2 @ size**2))
        a = activate(z, layer.activation)
        slope, evaluation = SLOPE[layer.activation], EVALUATION_ULPS[layer.activation] * u
        error, typical = slope * z_error + evaluation, slope * z_typical + evaluation
        yield ExactLayer(z, z_error, a, error, typical)


def _count_terms(reach: Exact, size: Exact) -> Exact:
    """Count the products that are not zero in each sum; shape (batch, units), or () if all are."""
    import numpy as np

    if reach.all() and size.all():
        return np.array(float(len(size)))
    counts: Exact = (reach > 0).astype(np.float64) @ (size > 0)
    return counts


def activate(z: Exact, activation: str) -> Exact:
    """Apply an activation in float64, accurate for every z."""
    import numpy as np

    if activation == "sigmoid":
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1.0, e) / (1.0 + e)
    if activation == "relu":
        return np.where(z > 0, z, 0.0)
    return np.tanh(z) if activation == "tanh" else z
