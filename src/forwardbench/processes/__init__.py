"""Run a module of this package in a fresh process, with a time limit.

Implementations can be anybody's code: they may hang, exit, crash the interpreter or print
garbage. They run in a child process, so that only this child is lost. Parent and child
exchange files in a temporary folder and never use stdout.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from forwardbench.errors import one_line

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

MEMORY_SHARE = 0.8
"""Share of the available memory that a child may use. The rest keeps the system alive."""
NOT_INHERITED = (
    "PYTHONHASHSEED",  # all children would use the same hashes
    # Each makes a framework compute less precisely, or in another way, than it is asked to.
    "CUBLAS_EMULATE_DOUBLE_PRECISION",
    "CUBLAS_EMULATE_SINGLE_PRECISION",
    "CUPY_TF32",
    "DNNL_DEFAULT_FPMATH_MODE",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_X64",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "XLA_FLAGS",
)
"""Environment variables that a child does not inherit, so that a forgotten setting changes no
result. What an implementation sets in its own file still counts."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Variables that tell numerical libraries how many threads to start."""
_POLL_SECONDS = 0.05


class ChildError(RuntimeError):
    """A child process that ended without an answer; the message says how."""


def call(
    module: str,
    task: Mapping[str, Any],
    *,
    stall_seconds: float,
    environment: Mapping[str, str] | None = None,
    cpus: Sequence[int] = (),
    memory_bytes: int = 0,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Any:
    """Run ``main(link)`` of a module in a fresh process and return its answer.

    ``task`` and the answer are plain JSON. ``environment``, ``cpus`` (empty: all)
    and ``memory_bytes`` (0: most of what is available) take effect before the child imports
    anything. The child and every process that it started are ended when it reports no progress
    for ``stall_seconds``. ``on_progress`` gets each line that the child passes to
    `Link.progress`. Raises `ChildError` when no answer came.
    """
    with tempfile.TemporaryDirectory(prefix="forwardbench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        envelope = {
            "module": module,
            "cpus": list(cpus),
            "memory_bytes": memory_bytes or usable_memory(),
            "task": task,
        }
        (folder / "task.json").write_text(json.dumps(envelope), encoding="utf-8")
        with (folder / "stderr.txt").open("wb") as stderr:
            child = subprocess.Popen(
                # -P keeps the current folder, and a random.py in it, out of sys.path.
                [sys.executable, "-P", "-m", "forwardbench.processes", name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**inherited_environment(), **(environment or {})},
                start_new_session=True,
            )
        try:
            _wait(child, folder / "progress.txt", stall_seconds, on_progress)
        finally:
            _end(child)
        try:
            return json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ChildError(how_it_ended(child.returncode, folder / "stderr.txt")) from None


def own_cpus() -> list[int]:
    """Numbers of the CPUs that this process may use now."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@cache
def available_cpus() -> list[int]:
    """Numbers of the CPUs that this process could use when this was first called."""
    return own_cpus()


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables under which numerical libraries start that many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def cpus_for(threads: int) -> list[int]:
    """Choose the CPUs for a process with that many threads.

    Some libraries ignore the variables but stay on the CPUs that a process is limited to. The
    last CPUs are chosen, because interrupts and the parent process often use the first ones.
    """
    return available_cpus()[-threads:]


def cpus_beside(threads: int) -> list[int]:
    """The CPUs that are left beside a process with that many threads; all if none is left."""
    return available_cpus()[:-threads] or available_cpus()


def inherited_environment() -> dict[str, str]:
    """The environment of this process without what must not reach a child."""
    return {
        name: value
        for name, value in os.environ.items()
        # Variables of a pytest around this could disable benchmarks.
        if name not in NOT_INHERITED and not name.startswith("PYTEST_")
    }


def usable_memory() -> int:
    """Bytes of memory that a child may use."""
    return int(MEMORY_SHARE * psutil.virtual_memory().available)


def _wait(
    child: subprocess.Popen[bytes],
    progress: Path,
    stall_seconds: float,
    on_progress: Callable[[str], None],
) -> None:
    """Wait for the child, passing its progress on, until it ends or stalls."""
    seen = 0  # bytes of whole lines
    last_sign = time.monotonic()
    while True:
        ended = child.poll() is not None
        whole = _read_from(progress, seen).rpartition(b"\n")
        for line in whole[0].decode("utf-8").splitlines():
            on_progress(line)
            last_sign = time.monotonic()
        seen += len(whole[0] + whole[1])
        if ended or (progress.parent / "answer.json").exists():
            return  # do not wait for threads that an implementation left running
        if time.monotonic() - last_sign > stall_seconds:
            raise ChildError(f"did not finish within {stall_seconds:g} s and was ended")
        time.sleep(_POLL_SECONDS)


def _read_from(path: Path, offset: int) -> bytes:
    """The bytes of a file from an offset on; none while there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and every process it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def how_it_ended(status: int, stderr: Path) -> str:
    """Say how a process ended without an answer, with the last line that it wrote."""
    if status < 0:
        try:
            return f"was ended by signal {-status} ({signal.Signals(-status).name})"
        except ValueError:
            return f"was ended by signal {-status}"
    last = ""
    with contextlib.suppress(FileNotFoundError), stderr.open("rb") as file:
        file.seek(max(0, stderr.stat().st_size - 4096))  # it may be very long
        last = file.read().decode("utf-8", errors="replace").strip().rpartition("\n")[2]
    ended = f"exited with status {status} before it had finished"
    return f"{ended}: {one_line(last)}" if last else ended


class Link:
    """The child's side: it holds the task, and reports progress and the answer."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._parent = os.getppid()
        self._progress: Any = None
        """The file with the lines of progress, once there are some."""
        envelope = json.loads((self._folder / "task.json").read_text(encoding="utf-8"))
        self.module: str = envelope["module"]
        self.cpus: list[int] = envelope["cpus"]
        self.memory_bytes: int = envelope["memory_bytes"]
        self.task: Any = envelope["task"]

    def progress(self, line: str) -> None:
        """Report one line of progress, which also shows that the child still works.

        A child whose parent has died ends here, because nobody waits for its answer.
        """
        if os.getppid() != self._parent:
            os._exit(1)
        if self._progress is None:
            self._progress = (self._folder / "progress.txt").open("ab", buffering=0)
        self._progress.write(f"{line}\n".encode())

    def answer(self, answer: Any) -> None:
        """Write the answer completely or not at all."""
        partial = self._folder / "answer.part"
        partial.write_text(json.dumps(answer), encoding="utf-8")
        partial.replace(self._folder / "answer.json")


def limit_this_process(cpus: Sequence[int], memory_bytes: int) -> None:
    """Limit this process to its CPUs and memory, where the system can."""
    if resource is not None and hasattr(resource, "RLIMIT_DATA"):
        # RLIMIT_AS would count reserved memory too: frameworks reserve far more than they use.
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file behind
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)


def run_child(folder: str) -> None:
    """Run the module that a parent asked for in `call`; the process was started for it."""
    link = Link(folder)
    limit_this_process(link.cpus, link.memory_bytes)
    importlib.import_module(link.module).main(link)
