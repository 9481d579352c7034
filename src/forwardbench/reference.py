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
from typing import TYPE_CHECKING, Any

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


class WrongResultError(Exception):
    """A result that is not right; the message says what is wrong with it."""


def exact_products(a: NDArray[np.float64], layer: Layer) -> NDArray[np.float64]:
    """``a @ weights + bias`` with every output rounded once; shapes as in `Layer`."""
    weights = layer.weights.astype(np.float64)
    z = np.empty((len(a), weights.shape[1]))
    for row, example in enumerate(a):
        product, rest = _two_product(example[:, None], weights)  # (inputs, units) each
        terms = np.concatenate([product, rest, layer.bias.astype(np.float64)[None, :]])
        z[row] = [math.fsum(column) for column in terms.T.tolist()]
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


def check_result(
    array: Any,
    case: Case,
    expected: NDArray[np.float64],
    bound: NDArray[np.float64],
    rows: Sequence[int] | None = None,
) -> float:
    """Compare a result with the reference and return its largest absolute error.

    ``expected`` and ``bound`` hold the given rows of the batch (all of them by default);
    shape, dtype and finiteness are checked on the whole result. Raises `WrongResultError`.
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
    rows = range(case.batch) if rows is None else rows
    found = array[list(rows)].astype(np.float64)
    error = np.abs(found - expected)
    times_bound = error / bound
    worst, unit = divmod(int(np.argmax(times_bound)), error.shape[1])
    if not times_bound[worst, unit] <= 1:
        raise WrongResultError(
            f"{_title(case)}: worst at [{rows[worst]}, {unit}]: "
            f"{_told_apart(found[worst, unit], expected[worst, unit])}, "
            f"{times_bound[worst, unit]:.0e} times the bound"
        )
    return float(error.max())


def _told_apart(found: float, expected: float) -> str:
    """Print two numbers with just enough digits to show that they differ."""
    for digits in range(3, 17):
        if f"{found:.{digits}g}" != f"{expected:.{digits}g}":
            break
    return f"{found:.{digits}g} instead of {expected:.{digits}g}"


def _title(case: Case) -> str:
    return f"{case} {case.activation} {case.dtype}" + (f" ({case.example})" if case.example else "")
