"""Runs forwardbench on every host of a Dask cluster, follows the runs and collects their results.

Each host does what `forwardbench run` does (see `agent`). All hosts run at the same time, with one
run on each host, however many workers it has. A failure on one host affects only its own run.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from forwardbench import implementations, results
from forwardbench.cluster import agent, connection
from forwardbench.cluster.answers import BadRunError, read_answer, unpack
from forwardbench.cluster.connection import (
    Worker,
    addresses_of,
    connected,
    is_listening,
    trouble_of,
    why_failed,
    workers_of,
)
from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.measure.fingerprint import code_version
from forwardbench.measure.run_folder import default_path
from forwardbench.measure.run_options import RunOptions

if TYPE_CHECKING:
    from distributed import Client, Future

FETCH_SECONDS = 60.0
"""Longest time to fetch one run."""
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 5.0
"""Extra time that a host gets to end its run, after `agent.END_SECONDS`."""
_ASK_SECONDS = 2.0
"""Time between two questions to the scheduler about its workers."""


Say = Callable[[str], None]
"""Shows one line to people."""


@dataclass
class HostRun:
    """A run on one host, from its start until its outcome is known."""

    worker: Worker
    future: Future
    begun: float
    """When it was submitted, on the clock of `time.monotonic`, like `last_sign`."""
    last_sign: float
    """When its worker last gave a sign of life."""
    starts: int = 0
    ended: bool = False


@dataclass
class Outcome:
    """How the run on one host ended."""

    host: str
    seconds: float
    trouble: str = ""
    """Why there is no result; empty if there is one."""
    status: int = 0
    """The exit status of the command there."""
    run: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class ClusterOutcome:
    """How a run on several hosts ended."""

    folder: Path | None
    """The folder with the fetched runs; None if there are none."""
    succeeded: bool
    """Whether every host's run was fetched and ended with status 0."""
    interrupted: bool


def run_on_hosts(address: str, options: RunOptions, say: Say) -> ClusterOutcome:
    """Run on every host of a cluster and fetch the results; ``say`` is called with progress lines.

    Raises `UserError` if, before anything is started, the run turns out to be impossible.
    """
    arguments, files = arguments_of(options)
    with connected(address, insecure=options.insecure) as client:
        workers = one_of_each_host(workers_of(client))
        folder = _make_folder(default_path() if options.output is None else Path(options.output))
        names = folder_names([worker.host for worker in workers])
        host_runs = _send(client, workers, arguments, files, say)
        succeeded, interrupted = True, False
        try:
            for outcome in _follow(client, host_runs):
                succeeded &= _keep(outcome, folder / names[outcome.host], say)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            _recall(client, host_runs)
    if any(folder.iterdir()):
        return ClusterOutcome(folder, succeeded, interrupted)
    folder.rmdir()
    return ClusterOutcome(None, succeeded, interrupted)


def _make_folder(folder: Path) -> Path:
    """Make the folder of all runs; if that fails, it fails before any measurement."""
    if folder.exists():
        raise UserError(f"{folder} exists already: name a new folder with --output")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {folder}: {error.strerror}: name another with --output"
        ) from None
    return folder


# --- what is sent ----------------------------------------------------------------------------


def one_of_each_host(workers: Sequence[Worker]) -> list[Worker]:
    """The first worker of each host, since two runs on one host would disturb each other."""
    first: dict[str, Worker] = {}
    for worker in workers:
        first.setdefault(worker.host, worker)
    return list(first.values())


def folder_names(hosts: Sequence[str]) -> dict[str, str]:
    """Map hosts to different folder names that every file system accepts."""
    names: dict[str, str] = {}
    for host in hosts:
        name = re.sub(r"[^A-Za-z0-9.-]", "_", host).lstrip(".")[:60] or "host"
        used_names = {used.lower() for used in names.values()}
        number = 2
        unique = name
        while unique.lower() in used_names:
            unique, number = f"{name}-{number}", number + 1
        names[host] = unique
    return names


def arguments_of(options: RunOptions) -> tuple[list[str], dict[str, bytes]]:
    """The arguments of `forwardbench run` on a host, and the files that it needs there.

    Each of the user's files is sent in its own folder, with the modules beside it that it imports.
    Families are sent by name, so that each host takes the members that can run there.
    """
    files: dict[str, bytes] = {}
    references = []
    for number, reference in enumerate(options.implementations):
        if implementations.members_of(reference):
            references.append(reference)
            continue
        path = implementations.find(reference)
        if implementations.is_builtin(path):
            references.append(path.stem)
            continue
        for file in with_neighbours(path):
            name = PurePosixPath("files", str(number), file.relative_to(path.parent).as_posix())
            files[str(name)] = file.read_bytes()
        references.append(f"files/{number}/{path.name}")
    return ["run", *replace(options, implementations=tuple(references)).arguments()], files


def with_neighbours(path: Path) -> list[Path]:
    """A file and the modules and packages beside it that it imports, directly or indirectly."""
    files = [path]
    for file in files:  # grows during the loop
        for name in _imported_names(file):
            module, package = path.parent / f"{name}.py", path.parent / name
            near = [module] if module.is_file() else []
            if (package / "__init__.py").is_file():
                near += sorted(package.rglob("*.py"))
            files += [neighbour for neighbour in near if neighbour not in files]
    return files


def _imported_names(path: Path) -> set[str]:
    """Top-level names that a file imports; none if it does not parse."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return set()  # the host will report that
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _function_for_workers() -> Callable[[dict[str, Any]], bytes]:
    """Make the function that a worker calls.

    A local function is sent by value. So it also runs on a worker that cannot import forwardbench,
    and can report that. A function sent by name would end such a worker.
    """

    def call(task: dict[str, Any]) -> bytes:
        try:
            from forwardbench.cluster.agent import run_for_client
        except Exception as error:  # an import may fail in any way
            missing = f"has no forwardbench, or another one ({error}): install {task['version']}"
            return json.dumps({"trouble": f"{missing} there", "status": 1}).encode() + b"\n"
        return run_for_client(task)

    return call


def _send(
    client: Client,
    workers: Sequence[Worker],
    arguments: list[str],
    files: dict[str, bytes],
    say: Say,
) -> list[HostRun]:
    topic = f"forwardbench-{uuid.uuid4().hex}"
    task = {
        "version": code_version(), "arguments": arguments, "files": files, "topic": topic,
    }  # fmt: skip
    host_runs = []
    for worker in workers:
        future = client.submit(
            _function_for_workers(), task, workers=[worker.address], allow_other_workers=False,
            pure=False, retries=0, key=f"{topic}-{worker.host}",
        )  # fmt: skip
        now = time.monotonic()
        host_runs.append(HostRun(worker, future, now, now))
    by_address = {host_run.worker.address: host_run for host_run in host_runs}

    def listen(event: tuple[float, dict[str, str]]) -> None:
        _, message = event
        host_run = by_address[message["worker"]]
        host_run.last_sign = time.monotonic()
        host_run.ended = message["what"] == agent.ENDED
        if message["what"] == agent.STARTED:
            host_run.starts += 1
            if host_run.starts == 1:
                worker = host_run.worker
                say(f"{worker.host}: started, by its worker {worker.address}")

    client.subscribe_topic(topic, listen)
    return host_runs


# --- how the runs end ------------------------------------------------------------------------


def _follow(client: Client, host_runs: Sequence[HostRun]) -> Iterator[Outcome]:
    """Yield the outcome of each run as soon as it is known; do not wait for lost runs."""
    running = list(host_runs)
    alive = {host_run.worker.address for host_run in host_runs}
    last_question = time.monotonic()
    scheduler_trouble = ""
    while running:
        if not is_listening(client):
            scheduler_trouble = scheduler_trouble or connection.DEAF
        if not scheduler_trouble and time.monotonic() - last_question > _ASK_SECONDS:
            try:
                alive = addresses_of(client)
            except UserError as error:
                scheduler_trouble = str(error)
            last_question = time.monotonic()
        for host_run in list(running):
            outcome = _outcome_of(host_run, alive, scheduler_trouble)
            if outcome is not None:
                running.remove(host_run)
                host_run.ended = True
                yield outcome
        if running:
            time.sleep(_POLL_SECONDS)


def _outcome_of(host_run: HostRun, alive: set[str], scheduler_trouble: str) -> Outcome | None:
    """The outcome of the run on a host; None while it is still running."""
    outcome = Outcome(host_run.worker.host, time.monotonic() - host_run.begun)
    if host_run.future.status == "finished":
        try:
            answer = read_answer(host_run.future.result(timeout=FETCH_SECONDS))
            outcome.trouble, outcome.status, outcome.run = answer.trouble, answer.status, answer.run
            return outcome
        except BadRunError as error:
            outcome.trouble = str(error)
        except Exception as error:  # its answer cannot be fetched
            outcome.trouble = trouble_of(error)
    elif host_run.future.status == "error":
        outcome.trouble = why_failed(host_run.future)
    elif scheduler_trouble or host_run.future.cancelled():
        outcome.trouble = scheduler_trouble or "the Dask scheduler went away"
    elif host_run.worker.address not in alive or host_run.starts > 1:
        outcome.trouble = f"its worker {host_run.worker.address} died"
    elif time.monotonic() - host_run.last_sign > connection.STALL_SECONDS:
        outcome.trouble = (
            f"gave no sign of life for {connection.STALL_SECONDS:g} s"
            if host_run.starts
            else f"did not begin within {connection.STALL_SECONDS:g} s: its worker may be busy"
        )
    return outcome if outcome.trouble else None


def _keep(outcome: Outcome, target: Path, say: Say) -> bool:
    """Unpack a fetched run into its folder and report how it ended; True if it succeeded."""
    trouble = outcome.trouble
    if not trouble:
        try:
            keep_run(outcome.run, target)
        except BadRunError as error:
            trouble = str(error)
    if trouble:
        say(f"{outcome.host}: lost after {outcome.seconds:.0f} s: {trouble}")
        return False
    status = f", with status {outcome.status}" if outcome.status else ""
    say(f"{outcome.host}: done after {outcome.seconds:.0f} s{status}: {target}")
    return not outcome.status


def keep_run(run: bytes, target: Path) -> None:
    """Make a run's folder from its archive, whole or not at all; raises `BadRunError`."""
    partial = target.with_name(f".{target.name}.part")
    try:
        unpack(run, partial)
        results.load(partial)
        partial.rename(target)
    except UserError as error:
        reason = str(error).replace(str(partial), "it")
        raise BadRunError(f"brought back what is not a run: {one_line(reason)}") from None
    except OSError as error:
        raise BadRunError(f"its run cannot be written to {target}: {error.strerror}") from None
    except (RecursionError, MemoryError, ArithmeticError) as error:  # values beyond all bounds
        raise BadRunError(f"brought back what is not a run: {describe_error(error)}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _recall(client: Client, host_runs: Sequence[HostRun]) -> None:
    """Cancel unfinished runs, and wait until their hosts have ended them."""
    unfinished = [host_run for host_run in host_runs if not host_run.future.done()]
    if not unfinished or client.status != "running":
        return
    try:
        client.cancel([host_run.future for host_run in unfinished], force=True)
    except Exception:  # the scheduler is gone too, and its workers end with it
        return
    deadline = time.monotonic() + agent.END_SECONDS + _GRACE_SECONDS
    alive = {host_run.worker.address for host_run in unfinished}
    while time.monotonic() < deadline:
        if not any(
            host_run.starts and not host_run.ended and host_run.worker.address in alive
            for host_run in unfinished
        ):
            return
        time.sleep(_POLL_SECONDS)
        try:
            alive = addresses_of(client)
        except UserError:
            return
