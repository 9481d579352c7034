"""A CUDA GPU made of NumPy, as PyTorch and CuPy would show it, for machines without one.

Work on it is queued and done no earlier than somebody waits for it, as on a real one. Every
operation is noted. Arrays of the GPU and of the CPU do not mix.
"""

import contextlib
import functools
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np


class GPU:
    """Memory, a queue of work, and notes of what it was asked for."""

    def __init__(self):
        self.notes = []
        self.queue = []

    def copy_in(self, array):
        """Put a copy of an array of the CPU into this GPU's memory."""
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{type(array).__name__} is no array of the CPU")
        self.notes.append("copy in")
        return OnGPU(self, array.copy, array.shape, array.dtype, done=True)

    def run(self, name, function, *arguments):
        """Queue an operation on arrays of this GPU and plain numbers; return its result to be."""
        if not all(isinstance(each, OnGPU | int | float) for each in arguments):
            raise TypeError(f"{name}: not all of it is on the GPU")
        self.notes.append(name)
        blanks = [np.zeros(e.shape, e.dtype) if isinstance(e, OnGPU) else e for e in arguments]
        form = function(*blanks)
        result = OnGPU(self, lambda: function(*map(value_of, arguments)), form.shape, form.dtype)
        self.queue.append(result)
        return result

    def wait(self):
        """Do all work that is queued."""
        for result in self.queue:
            result.finish()
        self.queue.clear()

    def synchronize(self):
        """Wait, as asked for by name."""
        self.notes.append("synchronize")
        self.wait()

    def copy_out(self, array):
        """Wait, and copy a result into the CPU's memory."""
        if not isinstance(array, OnGPU):
            raise TypeError(f"{type(array).__name__} is no array of the GPU")
        self.notes.append("copy out")
        self.wait()
        return array.value.copy()


def value_of(argument):
    """What an argument is once the work before it has been done."""
    return argument.value if isinstance(argument, OnGPU) else argument


class OnGPU:
    """An array in the memory of the GPU, computed or not yet."""

    def __init__(self, gpu, compute, shape, dtype, done=False):
        self.gpu, self.compute, self.shape, self.dtype = gpu, compute, shape, dtype
        self.value = compute() if done else None

    def finish(self):
        """Compute it."""
        self.value = self.compute()

    def __array__(self, dtype=None, copy=None):
        raise TypeError("an array of the GPU does not turn into NumPy by itself")

    def __len__(self):
        return self.shape[0]

    def __add__(self, other):
        return self.gpu.run("add", np.add, self, other)

    def __mul__(self, other):
        return self.gpu.run("multiply", np.multiply, self, other)

    __radd__, __rmul__ = __add__, __mul__

    def cpu(self):
        """PyTorch's copy to the CPU."""
        return OnCPU(self.gpu, self.gpu.copy_out(self))

    def item(self):
        """PyTorch's only number."""
        return float(self.gpu.copy_out(self).item())


class OnCPU:
    """PyTorch's tensor in the CPU's memory."""

    def __init__(self, gpu, array):
        self.gpu, self.array = gpu, array

    def numpy(self):
        """The same memory, as NumPy's array."""
        return self.array

    def to(self, device):
        """Copy it to the GPU."""
        assert device == "cuda"
        return self.gpu.copy_in(self.array)


def sigmoid(z):
    """Without overflow."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


def module(name, **contents):
    """Make a module that looks installed."""
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    vars(made).update({"__version__": "1.2.3", **contents})
    return made


def torch_on(gpu):
    """PyTorch, as far as the rungs use it; precision is as low as anything may have set it."""

    def operation(name, function):
        return lambda *arguments: gpu.run(name, function, *arguments)

    def tensor(array, device):
        assert device == "cuda"
        return gpu.copy_in(array)

    @contextlib.contextmanager
    def inference_mode():
        yield

    made = module(
        "torch",
        tensor=tensor,
        ones=lambda *shape, device: tensor(np.ones(shape, "float32"), device),
        from_numpy=functools.partial(OnCPU, gpu),
        mm=operation("mm", np.matmul),
        addmm=operation("addmm", lambda bias, x, weights: x @ weights + bias),
        sigmoid=operation("sigmoid", sigmoid),
        relu=operation("relu", lambda z: np.maximum(z, 0)),
        tanh=operation("tanh", np.tanh),
        inference_mode=inference_mode,
        get_num_threads=lambda: 1,
        float32_matmul_precision="medium",
        cuda=SimpleNamespace(synchronize=gpu.synchronize),
        backends=SimpleNamespace(
            cuda=SimpleNamespace(
                matmul=SimpleNamespace(
                    allow_tf32=True,
                    allow_fp16_reduced_precision_reduction=True,
                    allow_bf16_reduced_precision_reduction=True,
                )
            ),
            cudnn=SimpleNamespace(allow_tf32=True),
        ),
    )
    made.set_float32_matmul_precision = functools.partial(setattr, made, "float32_matmul_precision")
    return made


def cupy_on(gpu):
    """CuPy, as far as the rungs use it."""

    def operation(name, function):
        return lambda *arguments: gpu.run(name, function, *arguments)

    stream = SimpleNamespace(synchronize=gpu.synchronize)
    return module(
        "cupy",
        asarray=gpu.copy_in,
        asnumpy=gpu.copy_out,
        ones=lambda shape: gpu.copy_in(np.ones(shape)),
        matmul=operation("matmul", np.matmul),
        maximum=operation("maximum", np.maximum),
        tanh=operation("tanh", np.tanh),
        cuda=SimpleNamespace(get_current_stream=lambda: stream),
    )
