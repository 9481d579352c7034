"""What a rung can need besides NumPy, whether it is installed, and what to do if it is not.

Nothing here imports a framework, so ``list`` answers at once.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import sys
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
"""forwardbench's extras, and the modules that each installs."""

DISTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "array_api_compat": ("array-api-compat",),
    "cupy": ("cupy-cuda12x", "cupy-cuda13x", "cupy-cuda11x", "cupy"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "tensorflow": ("tensorflow-cpu", "tensorflow", "tensorflow-macos", "tf-nightly"),
}
"""pip's names for a module, if they differ from its own; one of them is installed."""

PACKAGES = {
    name
    for modules in EXTRAS.values()
    for module in modules
    for name in DISTRIBUTIONS.get(module, (module,))
}
"""All packages that any extra installs, by pip's names."""

COMPILER, GPU = "C++ compiler", "CUDA GPU"
"""The values of a rung's ``NEEDS``: what pip cannot install."""

_COMPILERS = ("g++", "clang++", "c++")


def missing(extra: str, need: str) -> str:
    """Say which requirements are missing and what to do; empty if all are met.

    ``extra`` is an extra of forwardbench, or any text that a user's file gives as one. ``need`` is
    ``COMPILER``, ``GPU`` or empty. The GPU is checked first: without it no package helps.
    """
    missing_modules = [name for name in _modules(extra) if not _is_installed(name)] if extra else []
    if need == GPU and (trouble := _gpu_trouble()):
        then = f"; then {_command(extra)}" if missing_modules and extra in EXTRAS else ""
        return f"needs a CUDA GPU: {trouble}{then}"
    if missing_modules:
        return _not_installed(", ".join(missing_modules), extra)
    if need == COMPILER and not _has_compiler():
        return "needs a C++ compiler: install g++ or clang++, or name one in CXX"
    return ""


def missing_module(name: str) -> str:
    """Say that an implementation could not import a module, and what to do."""
    package = name.partition(".")[0]
    extras = [extra for extra, modules in EXTRAS.items() if package in modules]
    # A part that is missing from an installed package does not come by installing it.
    return _not_installed(name, extras[0] if extras and not _is_installed(package) else "")


def _not_installed(modules: str, extra: str) -> str:
    """Name the command for forwardbench's own extras only.

    Anybody may have written a user's file, and it may ask for anything: a message must not lead
    people to install that, nor repeat what only looks like a name.
    """
    if extra in EXTRAS:
        return f"needs {modules}, which is not installed: {_command(extra)}"
    if not re.fullmatch(r"[\w.-]{1,100}", modules):
        return "needs something that its file does not name as a module: see REQUIRES there"
    return f"needs {modules}, which is not installed: its file asks for it, not forwardbench"


def _command(extra: str) -> str:
    return f"pip install 'forwardbench[{extra}]'"


def versions(extra: str) -> dict[str, str]:
    """Versions of the installed packages of an extra, by pip's names."""
    installed = {}
    for module in _modules(extra) if extra else ():
        for name in DISTRIBUTIONS.get(module, (module,)):
            try:
                installed[name] = str(metadata.version(name))
            except (metadata.PackageNotFoundError, ValueError):
                continue
            break
    return installed


def loaded_versions() -> dict[str, str]:
    """Versions of the packages of every framework that this process has imported."""
    return {
        package: version
        for extra, modules in EXTRAS.items()
        if modules[0] in sys.modules
        for package, version in versions(extra).items()
    }


def gpus() -> list[str]:
    """Names of the CUDA GPUs that this process may use; none if there is no driver."""
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
    """No GPU can be used; the message says why, and what to do."""


def _gpu_trouble() -> str:
    try:
        _gpu_names()
    except _NoGPUError as error:
        return str(error)
    return ""


def _gpu_names() -> list[str]:
    """Ask NVIDIA's driver through its C interface; raises `_NoGPUError` if it names no GPU.

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
