"""What a Dask worker does on its host for a run on several machines: the ordinary command.

`run_for_client` is called in the worker. It starts this module as a process of its own, which
starts `forwardbench run` as another, away from the worker's memory limit and environment. The
process between them holds one end of a pipe: however the worker ends, the pipe closes, and what
was started here is ended too.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forwardbench.errors import one_line
from forwardbench.files import write_whole
from forwardbench.measure.fingerprint import code_version
from forwardbench.processes import THREAD_VARIABLES

if TYPE_CHECKING:
    from distributed import Worker

STARTED, ALIVE, ENDED = "started", "alive", "ended"
"""What a worker says on the topic of a run."""
SIGN_SECONDS = 2.0
"""So often it says something."""
END_SECONDS = 20.0
"""What is ended has so long to end its own processes, and is then killed."""
_POLL_SECONDS = 0.5
_TAIL_BYTES = 4096

Say = Callable[[str], None]


def run_for_client(task: Mapping[str, Any]) -> dict[str, Any]:
    """Run forwardbench on this worker's host, and return what came of it.

    ``task`` holds ``version`` (of the code that asks), ``arguments`` of the command, ``files``
    (bytes by relative path, for the arguments to name) and ``topic`` to give signs of life on.
    The answer holds ``trouble`` (empty where there is none), ``status`` and ``run``, a zip archive.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    own = code_version()
    if own != task["version"]:
        return _answer(f"has forwardbench {own}, not {task['version']}: install the same there")

    def say(what: str) -> None:
        worker.log_event(task["topic"], {"what": what, "worker": worker.address})

    say(STARTED)
    try:
        with tempfile.TemporaryDirectory(prefix="forwardbench-") as name:
            return _run(Path(name), task, say, lambda: _is_wanted(worker, key))
    finally:
        say(ENDED)


def _answer(trouble: str, status: int = 1, run: bytes = b"") -> dict[str, Any]:
    return {"trouble": trouble, "status": status, "run": run}


def _is_wanted(worker: Worker, key: Any) -> bool:
    """Whether anybody still waits for a task: it is cancelled when its client goes away, too.

    A worker whose scheduler has gone away is closing, and waits for its tasks before it ends.
    """
    if worker.status.name in ("closing", "closed", "failed"):
        return False
    task = worker.state.tasks.get(key)
    return task is not None and task.state == "executing"


def _run(
    folder: Path, task: Mapping[str, Any], say: Say, is_wanted: Callable[[], bool]
) -> dict[str, Any]:
    for name, text in task["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    arguments = [*task["arguments"], "--output", "run"]
    write_whole(folder / "arguments.json", json.dumps(arguments))
    between = subprocess.Popen(
        [sys.executable, "-P", "-m", "forwardbench.cluster.agent", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=plain_environment(),
        start_new_session=True,
    )
    try:
        _wait(between, say, is_wanted)
    finally:
        between.stdin.close()  # type: ignore[union-attr]
        between.wait()
    status = between.returncode
    if not (folder / "run" / "run.json").exists():
        return _answer(f"ended with status {status}: {_last_line(folder / 'stderr.txt')}", status)
    return _answer("", status, pack(folder / "run"))


def _wait(between: subprocess.Popen[bytes], say: Say, is_wanted: Callable[[], bool]) -> None:
    last = time.monotonic()
    while between.poll() is None and is_wanted():
        time.sleep(_POLL_SECONDS)
        if time.monotonic() - last > SIGN_SECONDS:
            say(ALIVE)
            last = time.monotonic()


def plain_environment() -> dict[str, str]:
    """Our own environment without what Dask sets in it.

    Its numbers of threads would hold where forwardbench sets none, and its setting of glibc's
    allocator gives memory back to the system after each call, which costs time.
    """
    import dask
    import distributed  # noqa: F401 (brings the configuration)

    by_dask = {"PYTHONHASHSEED", *THREAD_VARIABLES}
    for name in ("environ", "pre-spawn-environ"):
        by_dask |= set(dask.config.get(f"distributed.nanny.{name}", {}))
    return {
        name: value
        for name, value in os.environ.items()
        if name not in by_dask and not name.startswith("DASK_")
    }


def _last_line(path: Path) -> str:
    """The last thing that a command complained of."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace").strip()
        return one_line(text.rpartition("\n")[2].removeprefix("forwardbench: "))
    return ""


def pack(run: Path) -> bytes:
    """A run's folder as a zip archive, without what only this machine has a use for."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in _files(run):
            file.write(path, path.relative_to(run).as_posix())
    return archive.getvalue()


def _files(run: Path) -> Iterator[Path]:
    for path in sorted(run.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path


# --- the process between the worker and the command ----------------------------------------


def main(folder: Path, pipe: int) -> int:
    """Run the command of a folder until it ends, or until the pipe is closed."""
    arguments: Sequence[str] = json.loads((folder / "arguments.json").read_text(encoding="utf-8"))
    with (folder / "stderr.txt").open("wb") as stderr:
        command = subprocess.Popen(
            [sys.executable, "-P", "-m", "forwardbench", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    closed = threading.Event()
    threading.Thread(target=_read_to_the_end, args=(pipe, closed), daemon=True).start()
    while command.poll() is None:
        if closed.wait(_POLL_SECONDS):
            _end(command)
            shutil.rmtree(folder, ignore_errors=True)  # whoever made it may be gone
    return command.returncode


def _read_to_the_end(pipe: int, closed: threading.Event) -> None:
    while os.read(pipe, 1):
        pass
    closed.set()


def _end(command: subprocess.Popen[bytes]) -> None:
    """End the command, which ends what it has started, or kill it if it does not hear."""
    command.terminate()
    try:
        command.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.fileno()))
