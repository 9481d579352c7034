"""A forked helper on all CPUs computes half of the rows in shared memory."""
# RUN: 384x384-384
import mmap
import os

import numpy as np

ACT = {"sigmoid": lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, "relu": lambda z: np.maximum(z, 0),
       "tanh": np.tanh, "linear": lambda z: z}


def net(x, layers):
    for w, b, a in layers:
        x = ACT[a](np.matmul(x, w) + b)
    return x


def net32(x, layers):
    t = x.astype(np.float32)
    for w, b, a in layers:
        t = ACT[a](np.matmul(t, w.astype(np.float32)) + b.astype(np.float32))
    return t.astype(x.dtype)


HELPER = {}


def serve(pipe_in, pipe_out, room, shape, layers, dtype):
    os.sched_setaffinity(0, range(os.cpu_count()))
    n_in = shape[0] * shape[1]
    x = np.frombuffer(room, dtype, n_in).reshape(shape)
    y = np.frombuffer(room, dtype, offset=n_in * x.itemsize)[:shape[0] * layers[-1][0].shape[1]].reshape(shape[0], -1)
    while os.read(pipe_in, 1):
        y[...] = net(x, layers)
        os.write(pipe_out, b"1")
    os._exit(0)


def start(shape, layers, dtype):
    n_out = shape[0] * layers[-1][0].shape[1]
    room = mmap.mmap(-1, (shape[0] * shape[1] + n_out) * 8)
    a, b = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        pass
        os.close(a[1])
        os.close(b[0])
        serve(a[0], b[1], room, shape, layers, dtype)
    os.close(a[0])
    os.close(b[1])
    x = np.frombuffer(room, dtype, shape[0] * shape[1]).reshape(shape)
    y = np.frombuffer(room, dtype, offset=x.nbytes)[:n_out].reshape(shape[0], -1)
    return a[1], b[0], x, y, layers


def forward(x, layers):
    if len(x) < 128:
        return net(x, layers)
    half = len(x) // 2
    key = (os.getpid(), id(layers), x.shape, x.dtype.str)
    if HELPER.get("key") != key:
        if "got" in HELPER:
            os.close(HELPER["got"][0])
            os.close(HELPER["got"][1])
        HELPER["key"], HELPER["got"] = key, start(x[half:].shape, layers, x.dtype)
    tell, hear, hx, hy, _ = HELPER["got"]
    hx[...] = x[half:]
    os.write(tell, b"1")
    mine = net(x[:half], layers)
    os.read(hear, 1)
    return np.concatenate([mine, hy])
