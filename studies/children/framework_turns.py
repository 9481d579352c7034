"""Time one framework's rung and a loop by hand, in turns, for `hand.py`: seconds as JSON."""

import json
import os
import statistics
import sys
import time
from pathlib import Path

SHAPE = (512, 512, 512)
"""Batch, inputs, units; one sigmoid layer."""
DTYPES = ("float64", "float32")
TURNS = 15


def torch_cpu(x, w, b):
    """Eager PyTorch."""
    import torch

    x, w, b = map(torch.from_numpy, (x, w, b))

    @torch.inference_mode()
    def call():
        return torch.sigmoid(torch.addmm(b, x, w))

    return call


def torch_compiled(x, w, b):
    """The same, compiled."""
    import torch

    x, w, b = map(torch.from_numpy, (x, w, b))
    compiled = torch.compile(lambda x, w, b: torch.sigmoid(torch.addmm(b, x, w)), dynamic=True)

    @torch.inference_mode()
    def call():
        return compiled(x, w, b)

    return call


def array_api_torch(x, w, b):
    """PyTorch without the standard in between."""
    import torch

    x, w, b = map(torch.from_numpy, (x, w, b))

    @torch.inference_mode()
    def call():
        return 0.5 * torch.tanh(0.5 * (torch.matmul(x, w) + b)) + 0.5

    return call


def array_api(x, w, b):
    """NumPy without the standard in between."""
    import numpy as np

    return lambda: 0.5 * np.tanh(0.5 * (np.matmul(x, w) + b)) + 0.5


def jax_cpu(x, w, b):
    """A jitted function."""
    import jax

    jax.config.update("jax_enable_x64", True)
    x, w, b = map(jax.numpy.array, (x, w, b))
    compiled = jax.jit(lambda x, w, b: jax.nn.sigmoid(x @ w + b))
    return lambda: compiled(x, w, b).block_until_ready()


def tensorflow_cpu(x, w, b):
    """A graph."""
    import tensorflow as tf

    x, w, b = map(tf.constant, (x, w, b))
    compiled = tf.function(lambda x: tf.sigmoid(tf.matmul(x, w) + b)).get_concrete_function(x)
    return lambda: compiled(x)


def onnxruntime_cpu(x, w, b):
    """A session over a model written down as text."""
    import onnx
    import onnxruntime

    number = "double" if x.dtype == "float64" else "float"
    model = onnx.parser.parse_model(
        f"""<ir_version: 10, opset_import: ["" : 17]>
        network ({number}[n, {len(w)}] x) => ({number}[n, {len(b)}] a)
        {{ z = Gemm(x, w, b) a = Sigmoid(z) }}"""
    )
    parts = {"w": w, "b": b}.items()
    model.graph.initializer.extend(onnx.numpy_helper.from_array(part, name) for name, part in parts)
    options = onnxruntime.SessionOptions()
    options.use_per_session_threads = False  # a pool of its own would spin beside the rung's
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return lambda: session.run(["a"], {"x": x})


HAND = {
    call.__name__: call
    for call in (
        torch_cpu, torch_compiled, array_api_torch, jax_cpu, tensorflow_cpu, onnxruntime_cpu,
        array_api,
    )
}  # fmt: skip


def seconds_by_hand(call, rounds, iterations):
    """Median seconds a call of some rounds, as anybody would write it."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(iterations):
            call()
        taken.append((time.perf_counter() - start) / iterations)
    return statistics.median(taken)


def main(name):
    """Time one rung both ways, in turns, and print the seconds of each."""
    import numpy as np
    import pytest

    from forwardbench.cases import parse_case
    from forwardbench.measure.entries import record_visits
    from forwardbench.measure.timing import Judge
    from forwardbench.processes import own_cpus
    from forwardbench.records import Cell
    from forwardbench.verification.verify import Nurseries
    from forwardbench.workloads.forward import make_inputs

    batch, inputs, units = SHAPE
    seconds = {dtype: {"suite": [], "hand": []} for dtype in DTYPES}
    calls = {}

    class Turns:
        """A pytest plugin: the suite's own visit to a cell, and then the loop by hand."""

        @pytest.hookimpl
        def pytest_generate_tests(self, metafunc):
            turns = [(dtype, turn) for dtype in DTYPES for turn in range(TURNS)]
            metafunc.parametrize(("dtype", "turn"), turns)

        @pytest.fixture
        def visit(self):
            def visit(benchmark, dtype, turn):
                case = parse_case(f"{batch}x{inputs}-{units}", "sigmoid", dtype)
                cell = Cell(name, name, "shapes", case, int(os.environ["OMP_NUM_THREADS"]))
                visit = judge.visit(cell, 5e-3, last=turn == TURNS - 1)
                record_visits(benchmark, cell, [visit], judge)
                if dtype not in calls:
                    x, [(w, b, _)] = make_inputs(case)
                    calls[dtype] = HAND[name](*map(np.copy, (x, w, b)))
                    calls[dtype]()
                stats = benchmark.stats.stats
                seconds[dtype]["suite"].append(stats.median)
                own = seconds_by_hand(calls[dtype], stats.rounds, benchmark.stats.iterations)
                seconds[dtype]["hand"].append(own)

            return visit

    test = Path(__file__).with_name("hand_turns.py")
    with Nurseries("forward", int(os.environ["OMP_NUM_THREADS"]), own_cpus()) as nurseries:
        judge = Judge(lambda cell: nurseries.contender(cell.reference))
        judge.calm.spare_seconds = 0.0  # each turn is one visit
        status = pytest.main(
            [str(test), "-q", "-pno:cacheprovider", "--noconftest", "--benchmark-only",
             "-c/dev/null", f"--rootdir={test.parent}"],
            plugins=[Turns()],
        )  # fmt: skip
        judge.close()
    print(json.dumps({"status": int(status), "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1])
