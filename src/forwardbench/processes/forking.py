"""The side of a nursery's process, and of the children that it forks.

It runs with the name of a folder, the number of its connection's descriptor, and whether it may be
forked: ``python -m forwardbench.processes.forking FOLDER DESCRIPTOR forks``.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import site
import sys
import tempfile
import threading
import time
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forwardbench.processes import limit_this_process
from forwardbench.processes.channel import receive, send
from forwardbench.processes.tree import children_of, end_tree

_PARENT_DEATH_SIGNAL, _SUBREAPER = 1, 36
"""Numbers of ``prctl`` options, from Linux's ``linux/prctl.h``."""
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def main(folder: Path, connection: Connection, *, may_fork: bool) -> None:
    """Load what children need, and fork children or serve as the only one."""
    envelope = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    limit_this_process(envelope["cpus"], envelope["memory_bytes"])
    # Whatever a child leaves running becomes this process's child and is ended with it.
    _prctl(_SUBREAPER, 1)
    _move_into(folder / str(os.getpid()))
    module = importlib.import_module(envelope["module"])
    threads_before = _thread_count()
    described = module.prepare(envelope["task"])
    forks = (
        may_fork
        and hasattr(os, "fork")
        and _thread_count() == threads_before
        and threading.active_count() == 1
        and not children_of(os.getpid())
    )
    receive(connection)
    send(connection, {"described": described, "forks": forks})
    if not may_fork:
        module.serve(connection, envelope["task"])
        return
    gc.collect()
    gc.freeze()  # collections in children then leave shared memory alone
    _fork_children(connection, folder, module, envelope["task"])


def _fork_children(connection: Connection, folder: Path, module: Any, task: Any) -> None:
    """Fork and end children as asked, until the connection ends."""
    known: set[int] = set()
    while True:
        try:
            command = receive(connection).values
        except (EOFError, OSError):  # whoever asked is gone
            for child in children_of(os.getpid()):
                end_tree(child)
            return
        if command["do"] == "fork":
            descriptor = reduction.recv_handle(connection)
            pid = os.fork()
            if pid == 0:
                connection.close()
                _serve(folder, descriptor, module, task)
            os.close(descriptor)
            known.add(pid)
            send(connection, {"pid": pid})
        elif command["do"] == "end":
            _end(command["pid"], 0.0, known)
        elif command["do"] == "status":
            send(connection, {"status": _end(command["pid"], command["patience"], known)})


def _serve(folder: Path, descriptor: int, module: Any, task: Any) -> None:
    """Be a child: serve until the connection ends."""
    status = 1
    try:
        _prctl(_PARENT_DEATH_SIGNAL, 9)
        with (folder / f"{os.getpid()}.stderr.txt").open("wb") as stderr:
            os.dup2(stderr.fileno(), 2)
        _move_into(folder / str(os.getpid()))
        module.serve(Connection(descriptor), task)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.excepthook(*sys.exc_info())  # whoever asks how it ended sees the text
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _end(pid: int, patience: float, known: set[int]) -> int:
    """End a child, what it has started, and what was left to this process by others.

    A child that ends by itself may do so for ``patience`` seconds. Returns how it ended.
    """
    status = 0
    if pid in known:
        known.remove(pid)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not _has_ended(pid):
            time.sleep(0.01)
        end_tree(pid)
        _, raw = os.waitpid(pid, 0)
        status = os.waitstatus_to_exitcode(raw)
    for orphan in set(children_of(os.getpid())) - known:
        end_tree(orphan)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(orphan, 0)
    return status


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; how it ended can still be asked."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _move_into(home: Path) -> None:
    """Make an empty folder the home and the place of temporary files."""
    home.mkdir(exist_ok=True)
    os.environ.setdefault("PYTHONUSERBASE", site.getuserbase())  # it depends on the home
    for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"):
        os.environ[name] = str(home)
    tempfile.tempdir = None  # it is chosen anew


def _thread_count() -> int:
    """Threads of this process, whoever started them; 1 where the system does not tell."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 1


def _prctl(option: int, value: int) -> None:
    """Ask Linux for something that other systems do not have."""
    if _LIBC is not None:
        _LIBC.prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Connection(int(sys.argv[2])), may_fork=sys.argv[3] == "forks")
