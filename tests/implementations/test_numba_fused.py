"""The compiled network: right with vectors of any width, and computed a vector at a time."""

import math
import re
import sys

import numpy as np
import pytest

from builders.contenders import judged
from builders.needs import skip_without
from forwardbench import implementations
from forwardbench.cases import DTYPES, Layer, parse_case
from forwardbench.workloads.forward import make_inputs


@pytest.fixture(scope="module", autouse=True)
def module():
    """The rung's file, imported."""
    skip_without("numba_fused")
    return sys.modules[implementations.load("numba_fused").compute.__module__]


@pytest.mark.parametrize(
    ("features", "width"),
    [({}, 16), ({"sse2": True}, 16), ({"sse2": True, "avx2": True}, 32)],
    ids=["ARM's", "SSE", "AVX2"],
)
def test_narrower_vectors_give_right_results_too(monkeypatch, features, width):
    """On a CPU with less to offer the tiles are smaller, and nothing else changes."""
    import llvmlite.binding

    known = llvmlite.binding.FeatureMap(features)
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: known)
    narrow = implementations.load("numba_fused")
    assert width == sys.modules[narrow.compute.__module__].VECTOR_BYTES
    verdict = judged(narrow)
    assert (verdict.status, verdict.reason) == ("verified", "")


def exact(name, z):
    """An activation in extended precision."""
    z = z.astype(np.longdouble)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    return np.tanh(z) if name == "tanh" else np.maximum(z, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_activations_are_exact_to_three_units_in_the_last_place(module, dtype):
    """As good as those of a library, from the smallest numbers to where the function is flat."""
    import numba

    small = np.logspace(-30, 0, 3001)
    z = np.concatenate([np.linspace(-86, 86, 40_001), small, -small]).astype(dtype)
    for function in module.make_activations(dtype):
        apply = numba.vectorize(function.py_func)
        truth = exact(function.__name__, z)
        units = np.spacing(np.abs(truth).astype(dtype))
        assert np.max(np.abs(apply(z) - truth) / units) < 3, function.__name__
        assert apply(z).dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_activations_of_what_is_no_number(module, dtype):
    """Infinities give the limits, and NaN stays NaN: an error upstream is not hidden."""
    import numba

    z = np.array([-np.inf, np.inf, np.nan], dtype)
    for function, limits in zip(
        module.make_activations(dtype), [(0, 1), (0, math.inf), (-1, 1)], strict=True
    ):
        with np.errstate(invalid="ignore"):
            low, high, none = numba.vectorize(function.py_func)(z)
        assert (low, high) == (pytest.approx(limits[0], abs=1e-37), limits[1])
        assert np.isnan(none)


@pytest.mark.parametrize("dtype", DTYPES)
def test_loops_over_activations_are_vectorized(module, dtype):
    """The machine code computes packed numbers: nothing is called for each of them."""
    import numba

    for function in module.make_activations(dtype):

        @numba.njit(f"void({dtype}[::1])", error_model="numpy", fastmath={"contract"})
        def loop(numbers):
            for i in range(len(numbers)):
                numbers[i] = function(numbers[i])  # noqa: B023 - compiled before the next turn

        (assembly,) = loop.inspect_asm().values()
        assert not re.search(r"call\w*\s+\S*(exp|tanh)", assembly)
        if "xmm" in assembly and function.__name__ != "relu":  # x86
            assert re.search(r"v?divpd\s" if dtype == "float64" else r"v?divps\s", assembly)


def some_network(shape, dtype):
    """A case with its input and its layers."""
    case = parse_case(shape, "tanh", dtype)
    x, layers = make_inputs(case)
    return case, x, layers


@pytest.mark.parametrize("way", ["one", "rows", "columns"])
@pytest.mark.parametrize(
    "shape", ["97x40-33-10", "13x300-130", "2x5-3", "1x64-257-31", "150x40-70-70-10"]
)
def test_every_way_to_share_the_work_gives_the_same(module, way, shape):
    """By rows, by columns or not at all: the numbers are the same to the last bit or nearly."""
    case, x, layers = some_network(shape, "float64")
    parameters, table, _ = module.prepare_layers(layers)
    pieces = 1 if way == "one" else 32  # as on a machine with so many threads
    rows = case.batch if way == "columns" else min(case.batch, module.BLOCK)
    ready = module.make_buffers(case.batch, table, parameters.dtype, pieces, rows)
    module.network(parameters.dtype)(way)(x, parameters, table, *ready[:2])
    expected = x
    for weights, bias, _ in layers:
        expected = np.tanh(expected @ weights + bias)
    np.testing.assert_allclose(ready[-1], expected, rtol=1e-12, atol=1e-14)


def test_packed_weights_hold_every_weight_once(module):
    """Panels are the columns in order, padded with zeros to whole vectors."""
    lanes = module.VECTOR_BYTES // 8
    weights = np.arange(1.0, 1 + 3 * (5 * lanes + 1)).reshape(3, -1)
    panels, bias = module.pack(weights, np.ones(weights.shape[1]))
    assert sorted(panels[panels != 0]) == sorted(weights.ravel())
    assert panels.size == 3 * 6 * lanes
    assert bias.tolist() == [1.0] * (5 * lanes + 1) + [0.0] * (lanes - 1)


def test_a_network_is_made_ready_once_for_each_batch(module):
    """Buffers are made at the first call with a batch size, and used again."""
    _, x, layers = some_network("4x6-5", "float32")
    ready = module.prepare_layers([Layer(*layer) for layer in layers])
    first = module.forward(x, ready)
    assert module.forward(x, ready) is first
    assert module.forward(x[:2].copy(), ready) is not first
