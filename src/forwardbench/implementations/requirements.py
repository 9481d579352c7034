"""What a rung can need besides NumPy, whether that is here, and what to do where it is not.

Asking imports no framework, so that ``list`` answers at once.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
from importlib import metadata

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

DISTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "array_api_compat": ("array-api-compat",),
    "cupy": ("cupy-cuda12x", "cupy-cuda13x", "cupy-cuda11x", "cupy"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "tensorflow": ("tensorflow-cpu", "tensorflow", "tensorflow-macos", "tf-nightly"),
}
"""What pip calls a module, where that is another name or one of several."""

PACKAGES = {
    name
    for modules in EXTRAS.values()
    for module in modules
    for name in DISTRIBUTIONS.get(module, (module,))
}
"""Everything that any extra brings, by pip's names."""

COMPILER, GPU = "C++ compiler", "CUDA GPU"
"""What pip does not bring, as a rung's ``NEEDS`` names it."""

_COMPILERS = ("g++", "clang++", "c++")


def missing(extra: str, need: str) -> str:
    """Say what is not here of an extra and of ``COMPILER`` or ``GPU``, and what to do about it.

    ``extra`` may be any module of a user's own file; empty where all is here. A GPU comes first:
    without one, no package is worth installing.
    """
    gone = [name for name in _modules(extra) if not _is_installed(name)] if extra else []
    command = f"pip install 'forwardbench[{extra}]'" if extra in EXTRAS else f"pip install {extra}"
    if need == GPU and (trouble := _gpu_trouble()):
        return f"needs a CUDA GPU: {trouble}" + (f"; then {command}" if gone else "")
    if gone:
        return f"needs {', '.join(gone)}, which is not installed: {command}"
    if need == COMPILER and not _has_compiler():
        return "needs a C++ compiler: install g++ or clang++, or name one in CXX"
    return ""


def versions(extra: str) -> dict[str, str]:
    """Version of each package that an extra brings, by pip's name, as far as they are installed."""
    found = {}
    for module in _modules(extra) if extra else ():
        for name in DISTRIBUTIONS.get(module, (module,)):
            try:
                found[name] = str(metadata.version(name))
            except (metadata.PackageNotFoundError, ValueError):
                continue
            break
    return found


def gpus() -> list[str]:
    """Names of the CUDA GPUs that this process may use; none where there is no driver."""
    try:
        return _gpu_names()
    except _NoGPUError:
        return []


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


class _NoGPUError(Exception):
    """The message says why there is none, and what to do."""


def _gpu_trouble() -> str:
    try:
        _gpu_names()
    except _NoGPUError as error:
        return str(error)
    return ""


def _gpu_names() -> list[str]:
    """Ask NVIDIA's driver, by way of its C interface; raises `_NoGPUError` if it names none.

    https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html
    """
    try:
        driver = _load_driver()
    except OSError:
        raise _NoGPUError(
            "NVIDIA's driver is not installed: install it, or measure on a machine with a GPU"
        ) from None
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        raise _NoGPUError("NVIDIA's driver finds none: see what nvidia-smi says")
    names = []
    for number in range(count.value):
        name = ctypes.create_string_buffer(256)
        driver.cuDeviceGetName(name, len(name), number)  # a device's handle is its number
        names.append(name.value.decode(errors="replace"))
    return names


def _load_driver() -> ctypes.CDLL:
    return ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
