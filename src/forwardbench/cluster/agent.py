"""Runs the ordinary command on a host of a Dask cluster, for a run on several machines.

`run_for_client` is called in the Dask worker. It starts this module as a child process, the
supervisor. The supervisor starts `forwardbench run` in another process, without the worker's memory
limit and environment. A pipe connects worker and supervisor. When the worker ends, for whatever
reason, the pipe closes, and the supervisor ends the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forwardbench.cluster.answers import Answer, pack, write_answer
from forwardbench.errors import describe_error, one_line
from forwardbench.files import write_whole
from forwardbench.measure.fingerprint import code_version
from forwardbench.processes import THREAD_VARIABLES

if TYPE_CHECKING:
    from distributed import Worker

STARTED, ALIVE, ENDED = "started", "alive", "ended"
"""The messages of a worker on the topic of a run."""
SIGN_SECONDS = 2.0
"""Seconds between two signs of life."""
END_SECONDS = 20.0
"""After so many seconds, a command that was told to end is killed."""
_POLL_SECONDS = 0.5
_TAIL_BYTES = 4096

Say = Callable[[str], None]


def run_for_client(task: Mapping[str, Any]) -> bytes:
    """Run forwardbench on this worker's host, and return the result as `answers` writes it.

    ``task`` holds the client's ``version``, the command's ``arguments``, the ``files`` that these
    name (bytes by relative path), and the ``topic`` for signs of life. Whatever goes wrong is told
    in the answer, since a client cannot read Dask's exceptions.
    """
    try:
        return write_answer(_answer(task))
    except Exception as error:
        return write_answer(Answer(f"could not make the run: {describe_error(error)}"))


def _answer(task: Mapping[str, Any]) -> Answer:
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    version = code_version()
    if version != task["version"]:
        return Answer(f"has forwardbench {version}, not {task['version']}: install the same there")

    def say(what: str) -> None:
        worker.log_event(task["topic"], {"what": what, "worker": worker.address})

    say(STARTED)
    try:
        with tempfile.TemporaryDirectory(prefix="forwardbench-") as name:
            return _run(Path(name), task, say, lambda: _is_wanted(worker, key))
    finally:
        say(ENDED)


def _is_wanted(worker: Worker, key: Any) -> bool:
    """Whether a task is still wanted; when its client goes away, it is cancelled as well.

    When the scheduler goes away, the worker closes, but it waits for its tasks first.
    """
    if worker.status.name in ("closing", "closed", "failed"):
        return False
    task = worker.state.tasks.get(key)
    return task is not None and task.state == "executing"


def _run(folder: Path, task: Mapping[str, Any], say: Say, is_wanted: Callable[[], bool]) -> Answer:
    for name, text in task["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    arguments = [*task["arguments"], "--output", "run"]
    write_whole(folder / "arguments.json", json.dumps(arguments))
    supervisor = subprocess.Popen(
        [sys.executable, "-P", "-m", "forwardbench.cluster.agent", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=plain_environment(),
        start_new_session=True,
    )
    try:
        _wait(supervisor, say, is_wanted)
    finally:
        supervisor.stdin.close()  # type: ignore[union-attr]
        supervisor.wait()
    status = supervisor.returncode
    if not (folder / "run" / "run.json").exists():
        return Answer(f"ended with status {status}: {_last_line(folder / 'stderr.txt')}", status)
    return Answer("", status, pack(folder / "run"))


def _wait(supervisor: subprocess.Popen[bytes], say: Say, is_wanted: Callable[[], bool]) -> None:
    last = time.monotonic()
    while supervisor.poll() is None and is_wanted():
        time.sleep(_POLL_SECONDS)
        if time.monotonic() - last > SIGN_SECONDS:
            say(ALIVE)
            last = time.monotonic()


def plain_environment() -> dict[str, str]:
    """The environment of this process without the variables that Dask sets.

    Dask's thread counts would apply wherever forwardbench sets none. Its setting for glibc's
    allocator returns memory to the system after each call, which costs time.
    """
    import dask
    import distributed  # noqa: F401 (loads its configuration)

    dask_names = {"PYTHONHASHSEED", *THREAD_VARIABLES}
    for name in ("environ", "pre-spawn-environ"):
        dask_names |= set(dask.config.get(f"distributed.nanny.{name}", {}))
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dask_names and not name.startswith("DASK_")
    }


def _last_line(path: Path) -> str:
    """The last line that a command printed on stderr."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace").strip()
        return one_line(text.rpartition("\n")[2].removeprefix("forwardbench: "))
    return ""


# --- the supervisor: the process between the worker and the command ------------------------


def main(folder: Path, pipe: int) -> int:
    """Run the command that a folder describes until it ends or the pipe is closed."""
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
            shutil.rmtree(folder, ignore_errors=True)  # its creator may no longer exist
    return command.returncode


def _read_to_the_end(pipe: int, closed: threading.Event) -> None:
    while os.read(pipe, 1):
        pass
    closed.set()


def _end(command: subprocess.Popen[bytes]) -> None:
    """Tell the command to end, which ends its processes; kill it if it does not react."""
    command.terminate()
    try:
        command.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.fileno()))
