"""What a rung can need besides NumPy, whether that is here, and what to do where it is not.

Asking imports no framework, so that ``list`` answers at once.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil

EXTRAS: dict[str, tuple[str, ...]] = {
    "array-api": ("array_api_compat",),
    "cupy": ("cupy",),
    "dask": ("dask", "distributed"),
    "jax": ("jax", "jaxlib"),
    "numba": ("numba",),
    "onnx": ("onnx", "onnxruntime"),
    "tensorflow": ("tensorflow",),
    "torch": ("torch", "array_api_compat"),
}
"""forwardbench's extras, and the modules that each brings."""

COMPILER, GPU = "C++ compiler", "CUDA GPU"
"""What pip does not bring, as a rung's ``NEEDS`` names it."""

_COMPILERS = ("g++", "clang++", "c++")


def missing(extra: str, need: str) -> str:
    """Say what is not here of an extra and of ``COMPILER`` or ``GPU``, and what to do about it.

    ``extra`` may be any module of a user's own file; empty where all is here.
    """
    if extra and (gone := [name for name in _modules(extra) if not _is_installed(name)]):
        command = f"'forwardbench[{extra}]'" if extra in EXTRAS else extra
        return f"needs {', '.join(gone)}, which is not installed: pip install {command}"
    if need == COMPILER and not _has_compiler():
        return "needs a C++ compiler: install g++ or clang++, or name one in CXX"
    if need == GPU and (trouble := _gpu_trouble()):
        return f"needs a CUDA GPU: {trouble}"
    return ""


def _modules(extra: str) -> tuple[str, ...]:
    return EXTRAS.get(extra, (extra,))


def _is_installed(module: str) -> bool:
    top = re.match(r"\w*", module)[0]  # type: ignore[index]
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _has_compiler() -> bool:
    named = os.environ.get("CXX", "").split()[:1]
    return any(shutil.which(name) for name in (*named, *_COMPILERS))


def _gpu_trouble() -> str:
    """Ask NVIDIA's driver, by way of its C interface, how many GPUs there are.

    https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return "NVIDIA's driver is not installed"
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "NVIDIA's driver finds none"
    return ""
