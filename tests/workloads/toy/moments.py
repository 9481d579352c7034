"""Moments of a batch: products of inputs with what targets have beyond a bias, and sums of inputs.

A workload that lies outside the package: three arguments, and a result of two arrays of different
shapes, neither of which has a row for each example.
"""

import numpy as np

from forwardbench.cases import DTYPE_BYTES, Case, Sweep, parse_case
from forwardbench.statistics.exact import UNIT_ROUNDOFF, exact_products, gamma
from forwardbench.workloads import Answer, forward

VERSION = 3
FUNCTION = "moments"
DATA = {"x": "prepare_input", "targets": "prepare_targets"}
SWEEPS = {
    "features": Sweep(
        "features",
        "8 examples, from 1 to 64 inputs",
        "inputs",
        tuple(Case(8, (n, 3), "linear") for n in (1, 8, 64)),
    )
}
LITTLE_AND_MUCH = ((parse_case("4x8-8"), parse_case("4096x8-8")),)


def count_multiply_adds(case):
    """Every number of the products is a sum over the batch."""
    return case.batch * case.widths[0] * case.widths[-1]


def count_outputs(case):
    """Numbers of both arrays."""
    return case.widths[0] * (case.widths[-1] + 1)


def count_bytes(case):
    """Inputs, targets, one bias, and the result."""
    ends = case.widths[0] + case.widths[-1]
    numbers = case.batch * ends + case.widths[-1] + count_outputs(case)
    return numbers * DTYPE_BYTES[case.dtype]


def make_inputs(case):
    """Inputs and layers as for forward; targets are the next numbers of the same stream."""
    x, layers = forward.make_inputs(case)
    used = x.size + sum(layer.weights.size + layer.bias.size for layer in layers)
    targets = forward.uniform_stream(case, used)(case.batch, case.widths[-1])
    return x, targets.astype(case.dtype), layers


def answers(x, targets, layers, *, few=False, seed=0):
    """Both arrays whole, or the last row and number of each; no place is drawn."""
    wide, beyond = x.astype("f8"), targets.astype("f8") - layers[-1].bias.astype("f8")
    products = exact_products(wide.T, beyond, np.zeros(beyond.shape[1]))
    sums = exact_products(np.ones((1, len(x))), wide, np.zeros(wide.shape[1]))[0]
    # A sum over the batch, and a subtraction in each of its terms; another in the reference.
    share, tiny = gamma(np.array(len(x) + 2.0), UNIT_ROUNDOFF[x.dtype.name]), np.finfo(x.dtype).tiny
    bounds = share * (np.abs(wide).T @ np.abs(beyond)) + tiny, share * np.abs(wide).sum(0) + tiny
    first = len(sums) - 1 if few else 0
    rows, columns = range(first, len(sums)), range(beyond.shape[1])
    return [
        Answer(products.shape, (rows, columns), products[first:], bounds[0][first:], "products"),
        Answer(sums.shape, (rows,), sums[first:], bounds[1][first:], "sums"),
    ]


def arrays_of(result):
    """The products, and then the sums."""
    products, sums = result
    return [products, sums]
