"""Exact matrix products, rounded once, and a bound for the error of ordinary ones.

Every product is split into two doubles, and `math.fsum` adds these exactly. So the sums share no
code with the results that they check. The bound is Higham's (*Accuracy and Stability of Numerical
Algorithms*, 2nd ed., section 3.1): an inner product of n terms in unit roundoff u, summed in any
order, is off by at most ``gamma(n) * sum |a||b|`` with ``gamma(n) = n u / (1 - n u)``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24}

_TERMS_AT_ONCE = 2**18
"""Most products held as Python numbers at one time, about 20 MB."""


def exact_products(a: Array, b: Array, added: Array) -> NDArray[np.float64]:
    """The exact ``a @ b + added``, rounded once; ``added`` has one number for each column."""
    a, b, added = (part.astype(np.float64) for part in (a, b, added))
    inner, width = b.shape
    sums = np.empty((len(a), width))
    rows = max(1, _TERMS_AT_ONCE // (inner * width))
    columns = max(1, _TERMS_AT_ONCE // inner)
    for top in range(0, len(a), rows):
        block = a[top : top + rows, :, None]
        for left in range(0, width, columns):
            part = slice(left, left + columns)
            product, rest = _two_product(block, b[:, part])  # (rows, inner, columns)
            last = np.broadcast_to(added[part], (len(block), 1, product.shape[2]))
            terms = np.concatenate([product, rest, last], axis=1)
            flat = np.moveaxis(terms, 1, 2).reshape(-1, 2 * inner + 1).tolist()
            sums[top : top + rows, part] = np.reshape([*map(math.fsum, flat)], (len(block), -1))
    return sums


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


def gamma(n: NDArray[np.float64], u: float) -> NDArray[np.float64]:
    """Higham's gamma_n, equation (3.4)."""
    return n * u / (1 - n * u)
