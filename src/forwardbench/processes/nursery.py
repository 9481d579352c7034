"""A nursery: a process that has loaded what its children need, and has computed nothing.

Each child is forked from it. So all children begin in the same state, whatever other children do
or did. Where a nursery cannot be forked, because what it loaded has started threads, or because
the system has no ``fork``, each child is a new process that loads the same.

This module is the side of the process that asks. It never runs the code that its children run,
and parses everything that they send as plain data.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing import Pipe, reduction
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

from forwardbench.processes import (
    ChildError,
    how_it_ended,
    inherited_environment,
    usable_memory,
)
from forwardbench.processes.channel import BadMessageError, Message, receive, send
from forwardbench.processes.tree import children_of, cpu_seconds, cpus_of, end_tree, tree_of

START_SECONDS = 120.0
"""Longest time to start a nursery: importing a framework may take long."""
_TRANSFER_SECONDS = 60
"""A process that neither takes nor gives a byte in so many seconds hangs."""


@dataclass(frozen=True)
class Upbringing:
    """What a nursery loads and how it is limited; children of equal ones may share a nursery."""

    module: str
    """A module with ``prepare(task) -> dict`` and ``serve(connection, task)``."""
    task: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: tuple[int, ...] = ()
    """The CPUs that it and its children may use; empty for all."""
    forks: bool = True
    """Whether children may be forked; otherwise each is a new process."""


class Child:
    """One child, from the side of the process that asks."""

    def __init__(self, nursery: Nursery, connection: Connection) -> None:
        self._nursery, self._connection = nursery, connection
        self._pid, self._stderr = 0, Path()
        self._limit_transfers()
        self._watched: list[Any] = [connection]

    def born(self, pid: int, stderr: Path) -> Self:
        """Note its process, and the file in which its errors are."""
        self._pid, self._stderr = pid, stderr
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._watched.append(os.pidfd_open(pid))
        return self

    @property
    def pid(self) -> int:
        """The number of its process; raises `ChildError` if it could not be started."""
        if not self._pid:
            self._nursery.wait_for_births()
        return self._pid

    def _limit_transfers(self) -> None:
        """Let no transfer block forever."""
        if sys.platform == "win32":
            return
        limit = struct.pack("ll", _TRANSFER_SECONDS, 0)
        with socket.socket(fileno=os.dup(self._connection.fileno())) as own:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                own.setsockopt(socket.SOL_SOCKET, option, limit)

    def ask(
        self, values: dict[str, Any], arrays: Sequence[Any] = (), seconds: float = 60.0
    ) -> Message:
        """Send a message and wait for the answer to it; raises `ChildError`."""
        self.post(values, arrays)
        return self.collect(seconds)

    def post(self, values: dict[str, Any], arrays: Sequence[Any] = ()) -> None:
        """Send a message whose answer is collected later; raises `ChildError`."""
        try:
            send(self._connection, values, arrays)
        except (EOFError, OSError):
            raise ChildError(self._how_it_ended()) from None

    def collect(self, seconds: float = 60.0) -> Message:
        """Wait for the next answer; raises `ChildError`."""
        if not self._pid:
            self._nursery.wait_for_births()
        try:
            ready = wait(self._watched, seconds)
            if not ready:
                raise ChildError(f"did not finish within {seconds:g} s and was ended")
            if self._connection not in ready and not self._connection.poll():
                raise EOFError
            return receive(self._connection)
        except (EOFError, OSError):
            raise ChildError(self._how_it_ended()) from None
        except BadMessageError as error:
            raise ChildError(f"sent something that is no answer: {error}") from None

    def hand_over(self, connection: Connection) -> None:
        """Give a nursery the connection for the child that it forks; raises `ChildError`."""
        try:
            send(self._connection, {"do": "fork"})
            reduction.send_handle(self._connection, connection.fileno(), self._pid)
        except OSError:
            raise ChildError(self._how_it_ended()) from None

    def close(self) -> None:
        """Close the connection to it."""
        if not self._connection.closed:
            self._connection.close()
            for descriptor in self._watched[1:]:
                os.close(descriptor)

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time that it has used, and that of its descendants."""
        own, *others = (cpu_seconds(pid) for pid in self._tree())
        return own, sum(others)

    def _tree(self) -> list[int]:
        """It, all that it has started, and what has left its parents since."""
        left = (member for orphan in self._nursery.orphans() for member in tree_of(orphan))
        return [*tree_of(self.pid), *left]

    def cpus_beyond_its_own(self) -> set[int]:
        """CPUs that it or a descendant may use although they were not given to it."""
        given = set(self._nursery.upbringing.cpus)
        used = set().union(*(cpus_of(pid) for pid in self._tree()))
        return used - given if given else set()

    def _how_it_ended(self) -> str:
        return how_it_ended(self._nursery.status_of(self.pid), self._stderr)

    def end(self) -> None:
        """End it and everything that it has started."""
        if not self._connection.closed:
            with contextlib.suppress(ChildError):  # a nursery that is gone has ended it
                self._nursery.end(self.pid)
            self.close()

    def tell(self, values: dict[str, Any]) -> None:
        """Send a message to which there is no answer."""
        with contextlib.suppress(OSError):  # whoever is gone needs not be told
            send(self._connection, values)


class Nursery:
    """Starts a nursery and gets children from it; a context manager that ends them all."""

    def __init__(self, upbringing: Upbringing) -> None:
        self.upbringing = upbringing
        self._folder = Path(tempfile.mkdtemp(prefix="forwardbench-"))
        envelope = {
            "module": upbringing.module,
            "task": dict(upbringing.task),
            "cpus": list(upbringing.cpus),
            "memory_bytes": usable_memory(),
        }
        (self._folder / "task.json").write_text(json.dumps(envelope), encoding="utf-8")
        self._alone: dict[int, subprocess.Popen[bytes]] = {}
        self._forked: set[int] = set()
        self._unborn: deque[Child] = deque()
        """Children that were asked for, whose process numbers are not known yet."""
        self._control = self._start("nursery", forks=upbringing.forks)
        self._unused = None if upbringing.forks else self._control
        """A process that serves by itself, until it is given away as the first child."""

    @cached_property
    def described(self) -> dict[str, Any]:
        """What ``prepare`` returned; it is waited for. Raises `ChildError`."""
        return dict(self._answer["described"])

    @cached_property
    def _answer(self) -> dict[str, Any]:
        return self._control.ask({"do": "describe"}, seconds=START_SECONDS).values

    def _start(self, name: str, *, forks: bool) -> Child:
        """Start a process that loads everything, with a connection to it."""
        ours, theirs = Pipe()
        stderr = self._folder / f"{name}.stderr.txt"
        with stderr.open("wb") as file, theirs:
            process = subprocess.Popen(
                # -P keeps the current folder, and a random.py in it, out of sys.path.
                [sys.executable, "-P", "-m", "forwardbench.processes.forking",
                 str(self._folder), str(theirs.fileno()), "forks" if forks else "alone"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env={**inherited_environment(), **self.upbringing.environment},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )  # fmt: skip
        self._alone[process.pid] = process
        return Child(self, ours).born(process.pid, stderr)

    def child(self) -> Child:
        """Get a child that has loaded everything; raises `ChildError`.

        A forked one may not be there yet: it answers when it is.
        """
        forks = self._answer["forks"] is True
        if self._unused is not None:
            first, self._unused = self._unused, None
            return first
        if not forks:
            child = self._start(f"child-{len(self._alone)}", forks=False)
            child.ask({"do": "describe"}, seconds=START_SECONDS)
            return child
        ours, theirs = Pipe()
        with theirs:
            self._control.hand_over(theirs)
        child = Child(self, ours)
        self._unborn.append(child)
        return child

    def wait_for_births(self) -> None:
        """Wait until all children that were asked for are there; raises `ChildError`."""
        while self._unborn:
            pid = int(self._control.collect().values["pid"])
            self._forked.add(pid)
            self._unborn.popleft().born(pid, self._folder / f"{pid}.stderr.txt")

    def orphans(self) -> list[int]:
        """Processes that children have started and left to the nursery."""
        self.wait_for_births()
        if not self._forked:
            return []
        return [pid for pid in children_of(self._control.pid) if pid not in self._forked]

    def status_of(self, pid: int) -> int:
        """How a process ended, as `subprocess` tells it; ends it first if it still runs."""
        if pid in self._alone:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._alone[pid].wait(1.0)
            end_tree(pid)
            return self._alone[pid].wait()
        try:
            self.wait_for_births()
            command = {"do": "status", "pid": pid, "patience": 1.0}
            return int(self._control.ask(command).values["status"])
        except ChildError:
            return -signal.SIGKILL

    def end(self, pid: int) -> None:
        """End a child and everything that it has started; a forked one soon, without waiting."""
        if pid in self._alone:
            end_tree(pid)
            self._alone[pid].wait()
        else:
            self._control.tell({"do": "end", "pid": pid, "patience": 0.0})

    def close(self) -> None:
        """End the nursery, its children and everything that they have started."""
        for pid, process in self._alone.items():
            with contextlib.suppress(Exception):
                end_tree(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
                os.killpg(pid, signal.SIGKILL)
            process.wait()
        self._control.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
