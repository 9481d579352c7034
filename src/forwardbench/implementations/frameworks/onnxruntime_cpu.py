"""ONNX Runtime on the CPU: the network as a graph of Gemm nodes, in one session."""

import contextlib
import os

import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

REQUIRES = "onnx"

NODES = {"sigmoid": "Sigmoid", "relu": "Relu", "tanh": "Tanh", "linear": "Identity"}
# Its own pool ignores the variables that others obey; 0 leaves the choice to it. All sessions share
# one: with one each, those that are idle spin, and a session beside two others takes twice as long.
THREADS = int(os.environ.get("OMP_NUM_THREADS", "").partition(",")[0] or 0)
with contextlib.suppress(Fail):  # the pool is there, where this file was loaded before
    onnxruntime.set_global_thread_pool_sizes(THREADS, 1)


def prepare_layers(layers):
    options = onnxruntime.SessionOptions()
    options.use_per_session_threads = False
    options.log_severity_level = 3
    model = network(layers).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def network(layers):
    nodes, parameters, name = [], [], "x"
    for k, (weights, bias, activation) in enumerate(layers):
        parameters += [
            numpy_helper.from_array(weights, f"weights{k}"),
            numpy_helper.from_array(bias, f"bias{k}"),
        ]
        nodes += [
            helper.make_node("Gemm", [name, f"weights{k}", f"bias{k}"], [f"z{k}"]),
            helper.make_node(NODES[activation], [f"z{k}"], [f"a{k}"]),
        ]
        name = f"a{k}"
    number = helper.np_dtype_to_tensor_dtype(layers[0].weights.dtype)
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", number, ["batch", layers[0].weights.shape[0]])],
        [helper.make_tensor_value_info(name, number, ["batch", layers[-1].weights.shape[1]])],
        parameters,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def forward(x, layers):
    (out,) = layers.run(None, {"x": x})
    return out
