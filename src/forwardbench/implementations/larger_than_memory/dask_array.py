"""Dask arrays, chunked over the batch, which may then be larger than memory, or than a machine."""

import os

import dask
import dask.array as da
import numpy as np
import threadpoolctl

REQUIRES = "dask"

ACTIVATIONS = {
    "sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5,  # the same function, without overflow
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "linear": lambda z: z,
}

BLAS = threadpoolctl.ThreadpoolController()
CHUNK_BYTES = 2**25  # of a chunk's inputs: little of a memory, and much more work than Dask's own


def workers():
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(cpus, int(asked or cpus))


def prepare_layers(layers):  # one task of the graph, which does not hash the weights
    return [len(layers[-1][1]), dask.delayed(list(layers), traverse=False)]


def prepare_input(x):
    fits = max(1, CHUNK_BYTES // (x.shape[1] * x.itemsize))
    rows = min(fits, -(-len(x) // workers()))  # a chunk for each thread, or more
    return da.from_array(x, chunks=(rows, -1), name=False)


def through(x, layers):  # lazy: each chunk goes through all layers in one task
    units, layers = layers
    return x.map_blocks(
        network, layers, chunks=(x.chunks[0], (units,)), meta=np.empty((0, 0), x.dtype)
    )


def network(a, layers):
    for weights, bias, activation in layers:
        a = ACTIVATIONS[activation](np.matmul(a, weights) + bias)
    return a


def forward(x, layers):
    # The threads are Dask's, one chunk each: of BLAS threads beside them there is one a task.
    with BLAS.limit(limits=1, user_api="blas"):
        return through(x, layers).compute(scheduler="threads", num_workers=workers())
