"""The reference that results are judged by, and how far off an honest result may be.

The reference sums exactly (products split into two doubles, added by `math.fsum`), so it
shares no code with what it judges. The bound is Higham's (*Accuracy and Stability of
Numerical Algorithms*, 2nd ed., section 3.1): an inner product of n terms in unit roundoff
u, summed in any order, is off by at most ``gamma(n) * sum |x||w|`` with
``gamma(n) = n u / (1 - n u)``. Terms that are exactly zero add no rounding, so they are
not counted: sparse inputs keep the bound tight at sizes where a dense one would let
reduced precision through.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forwardbench.cases import Case, Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24}
SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "linear": 1.0}
"""Largest slope of each activation: by how much it can stretch an error."""
EVALUATION_ULPS = {"sigmoid": 8, "tanh": 8, "relu": 0, "linear": 0}
"""Roundoffs an honest elementary function may add; libraries promise 1 to 4 units in the
last place, and the sigmoid needs a few operations more."""


_TERMS_AT_ONCE = 2**18
"""Products held as Python numbers at one time, about 20 MB."""


class WrongResultError(Exception):
    """A result that is not right; the message says what is wrong with it."""


def exact_products(a: NDArray[np.float64], layer: Layer) -> NDArray[np.float64]:
    """``a @ weights + bias`` with every output rounded once; shapes as in `Layer`."""
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    inputs, units = weights.shape
    z = np.empty((len(a), units))
    rows = max(1, _TERMS_AT_ONCE // (inputs * units))
    columns = max(1, _TERMS_AT_ONCE // inputs)
    for top in range(0, len(a), rows):
        block = a[top : top + rows, :, None]
        for left in range(0, units, columns):
            part = slice(left, left + columns)
            product, rest = _two_product(block, weights[:, part])  # (rows, inputs, columns)
            biases = np.broadcast_to(bias[part], (len(block), 1, product.shape[2]))
            terms = np.concatenate([product, rest, biases], axis=1)
            sums = map(math.fsum, np.moveaxis(terms, 1, 2).reshape(-1, 2 * inputs + 1).tolist())
            z[top : top + rows, part] = np.reshape(list(sums), (len(block), -1))
    return z


def _two_product(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return product and rest with ``a * b == product + rest`` exactly (Dekker, 1971)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, rest


def _split(a: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split doubles into halves of 26 bits whose products are exact (Veltkamp, 1968)."""
    scaled = (2.0**27 + 1) * a
    high = scaled - (scaled - a)
    return high, a - high


def activate(z: NDArray[np.float64], activation: str) -> NDArray[np.float64]:
    """Apply an activation in float64, accurate for every z."""
    if activation == "sigmoid":
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1.0, e) / (1.0 + e)
    if activation == "relu":
        return np.where(z > 0, z, 0.0)
    return np.tanh(z) if activation == "tanh" else z


def reference(x: Array, layers: Sequence[Layer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Activations of the last layer, and how far off an honest result can be.

    Both have shape (batch, units) and are float64; the bound is absolute and holds for
    any order of summation in ``x``'s dtype.
    """
    u = UNIT_ROUNDOFF[x.dtype.name]
    u_reference = UNIT_ROUNDOFF["float64"]
    a = x.astype(np.float64)
    error = np.zeros_like(a)
    for layer in layers:
        size = np.abs(layer.weights.astype(np.float64))
        reach = np.abs(a) + error  # the computed inputs are no larger than this
        magnitude = reach @ size + np.abs(layer.bias.astype(np.float64))
        terms = (reach > 0).astype(np.float64) @ (size > 0) + 1  # the bias is one more
        z = exact_products(a, layer)
        error = gamma(terms, u) * magnitude + error @ size + u_reference * np.abs(z)
        a = activate(z, layer.activation)
        error = SLOPE[layer.activation] * error + EVALUATION_ULPS[layer.activation] * u
    return a, error + np.finfo(x.dtype).tiny  # room for products that underflow


def gamma(n: NDArray[np.float64], u: float) -> NDArray[np.float64]:
    """Higham's gamma_n, equation (3.4)."""
    return n * u / (1 - n * u)


class Accuracy(NamedTuple):
    """How far a right result is off."""

    error: float
    """Largest absolute error."""
    share: float
    """Largest error as a share of its bound, at most 1."""


class Sample(NamedTuple):
    """Reference and bound, shape (rows, units) each, for some places of a case's result."""

    rows: list[int]
    units: list[int]
    expected: NDArray[np.float64]
    bound: NDArray[np.float64]


def sample(x: Array, layers: Sequence[Layer], rows: Sequence[int], units: Sequence[int]) -> Sample:
    """Compute the reference for some rows of the batch and some units of the last layer."""
    *hidden, last = layers
    chosen = last._replace(weights=last.weights[:, list(units)], bias=last.bias[list(units)])
    return Sample(list(rows), list(units), *reference(x[list(rows)], [*hidden, chosen]))


def whole(x: Array, layers: Sequence[Layer]) -> Sample:
    """Compute the reference for every place of a result."""
    return sample(x, layers, range(len(x)), range(len(layers[-1].bias)))


def check_result(array: Any, case: Case, known: Sample) -> Accuracy:
    """Compare a result with the reference at the places that are known.

    Shape, dtype and finiteness are checked everywhere. Raises `WrongResultError`.
    """
    shape = (case.batch, case.widths[-1])
    if array.shape != shape:
        raise WrongResultError(f"{case}: shape {array.shape} instead of {shape}")
    if array.dtype != case.dtype:
        raise WrongResultError(f"{case}: dtype {array.dtype} instead of {case.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        row, unit = np.argwhere(~finite)[0]
        raise WrongResultError(f"{_title(case)}: {array[row, unit]} at [{row}, {unit}]")
    found = array[np.ix_(known.rows, known.units)].astype(np.float64)
    error = np.abs(found - known.expected)
    share = error / known.bound
    row, unit = divmod(int(np.argmax(share)), share.shape[1])
    if not share[row, unit] <= 1:
        raise WrongResultError(
            f"{_title(case)}: worst at [{known.rows[row]}, {known.units[unit]}]: "
            f"{_told_apart(found[row, unit], known.expected[row, unit])}, "
            f"{share[row, unit]:.0e} times the bound"
        )
    return Accuracy(float(error.max()), float(share.max()))


def _told_apart(found: float, expected: float) -> str:
    """Print two numbers with just enough digits to show that they differ."""
    for digits in range(3, 17):
        if f"{found:.{digits}g}" != f"{expected:.{digits}g}":
            break
    return f"{found:.{digits}g} instead of {expected:.{digits}g}"


def _title(case: Case) -> str:
    return f"{case} {case.activation} {case.dtype}" + (f" ({case.example})" if case.example else "")
