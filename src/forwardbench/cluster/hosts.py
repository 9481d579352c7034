"""A run on every host of a Dask cluster: started there, followed, brought back, shown together.

Each host does what `forwardbench run` does (see `agent`), all at the same time and one run on
each, however many workers it has. Whatever goes wrong on a host costs that host's run only.
"""

from __future__ import annotations

import ast
import io
import re
import shutil
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from forwardbench import implementations, results
from forwardbench.cluster import agent, connection
from forwardbench.cluster.connection import Worker, connected, trouble_of, workers_of
from forwardbench.errors import UserError, one_line
from forwardbench.measure.fingerprint import code_version
from forwardbench.measure.run_folder import default_path
from forwardbench.measure.run_options import RunOptions

if TYPE_CHECKING:
    from distributed import Client, Future

LARGEST_RUN = 2**30
"""Bytes that a run's files may have together."""
MOST_FILES = 10_000
FETCH_SECONDS = 60.0
"""So long it may take to bring one run back."""
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 5.0
"""What a host may take longer to end a run than it gives the run to end by itself."""
_ASK_SECONDS = 2.0
"""The scheduler is asked so often which workers there are."""


Say = Callable[[str], None]
"""Tells people a line."""


class BadRunError(Exception):
    """A run that came back and cannot be kept; the message says why."""


@dataclass
class HostRun:
    """A run on one host, from its start until something is known of its end."""

    worker: Worker
    future: Future
    begun: float
    """When it was sent out, on the clock of `time.monotonic`, as `heard` is."""
    heard: float
    starts: int = 0
    ended: bool = False


@dataclass
class Outcome:
    """How the run on one host ended."""

    host: str
    seconds: float
    trouble: str = ""
    """Why there is no run, if there is none."""
    status: int = 0
    """The exit status of the command there."""
    run: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class CameBack:
    """What became of a run on several hosts."""

    folder: Path | None
    """Where the runs are that came back; None where there is none."""
    all_well: bool
    """Whether every host's run came back, and ended well."""
    interrupted: bool


def run_on_hosts(address: str, options: RunOptions, say: Say) -> CameBack:
    """Run on every host of a cluster, and bring back what was made; ``say`` is told how it goes.

    Raises `UserError` for what can be told to be impossible before anything is started.
    """
    arguments, files = arguments_of(options)
    with connected(address) as client:
        workers = one_of_each_host(workers_of(client))
        folder = _claim(default_path() if options.output is None else Path(options.output))
        names = folder_names([worker.host for worker in workers])
        host_runs = _send(client, workers, arguments, files, say)
        all_well, interrupted = True, False
        try:
            for outcome in _follow(client, host_runs):
                all_well &= _keep(outcome, folder / names[outcome.host], say)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            _recall(client, host_runs)
    if any(folder.iterdir()):
        return CameBack(folder, all_well, interrupted)
    folder.rmdir()
    return CameBack(None, all_well, interrupted)


def _claim(folder: Path) -> Path:
    """Make the folder of all runs, before anything is measured in vain."""
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
    """The first worker of each host: runs side by side on one would disturb each other."""
    first: dict[str, Worker] = {}
    for worker in workers:
        first.setdefault(worker.host, worker)
    return list(first.values())


def folder_names(hosts: Sequence[str]) -> dict[str, str]:
    """Map hosts to names that any file system takes, no two of them alike."""
    names: dict[str, str] = {}
    for host in hosts:
        name = re.sub(r"[^A-Za-z0-9.-]", "_", host).lstrip(".")[:60] or "host"
        taken = {used.lower() for used in names.values()}
        number = 2
        unique = name
        while unique.lower() in taken:
            unique, number = f"{name}-{number}", number + 1
        names[host] = unique
    return names


def arguments_of(options: RunOptions) -> tuple[list[str], dict[str, bytes]]:
    """The arguments of `forwardbench run` on a host, and the files that it needs there.

    Files of one's own go with the modules beside them that they import, each into a folder of
    its own. Families are for each host to look up, which takes those members that can run there.
    """
    files: dict[str, bytes] = {}
    named = []
    for number, reference in enumerate(options.implementations):
        if implementations.members_of(reference):
            named.append(reference)
            continue
        path = implementations.find(reference)
        if implementations.is_own(path):
            named.append(path.stem)
            continue
        for file in with_neighbours(path):
            name = PurePosixPath("files", str(number), file.relative_to(path.parent).as_posix())
            files[str(name)] = file.read_bytes()
        named.append(f"files/{number}/{path.name}")
    return ["run", *replace(options, implementations=tuple(named)).arguments()], files


def with_neighbours(path: Path) -> list[Path]:
    """A file and, of the modules and packages beside it, those that it needs, in turn."""
    found = [path]
    for file in found:  # which grows meanwhile
        for name in _imported(file):
            module, package = path.parent / f"{name}.py", path.parent / name
            near = [module] if module.is_file() else []
            if (package / "__init__.py").is_file():
                near += sorted(package.rglob("*.py"))
            found += [each for each in near if each not in found]
    return found


def _imported(path: Path) -> set[str]:
    """Top-level names that a file imports; none of a file that does not parse."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return set()  # which the host will say of it
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _function_for_workers() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What a worker is asked to call.

    A local function travels by value: it runs, and can say so, where forwardbench cannot be
    imported. A function that travels by its name would end such a worker.
    """

    def call(task: dict[str, Any]) -> dict[str, Any]:
        try:
            from forwardbench.cluster.agent import run_for_client
        except ImportError as error:
            missing = f"has no forwardbench, or another one ({error}): install {task['version']}"
            return {"trouble": f"{missing} there", "status": 1, "run": b""}
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
        host_run.heard = time.monotonic()
        host_run.ended = message["what"] == agent.ENDED
        if message["what"] == agent.STARTED:
            host_run.starts += 1
            if host_run.starts == 1:
                worker = host_run.worker
                say(f"{worker.host}: started, by its worker {worker.address}")

    client.subscribe_topic(topic, listen)
    return host_runs


# --- what becomes of it ----------------------------------------------------------------------


def _follow(client: Client, host_runs: Sequence[HostRun]) -> Iterator[Outcome]:
    """Yield the outcome of each run as soon as it is known; what is lost is not waited for."""
    left = list(host_runs)
    alive = {host_run.worker.address for host_run in host_runs}
    asked = time.monotonic()
    gone = ""
    while left:
        if not gone and time.monotonic() - asked > _ASK_SECONDS:
            try:
                alive = set(connection.ask(client, client.scheduler.ncores))
            except UserError as error:
                gone = str(error)
            asked = time.monotonic()
        for host_run in list(left):
            outcome = _look(host_run, alive, gone)
            if outcome is not None:
                left.remove(host_run)
                host_run.ended = True
                yield outcome
        if left:
            time.sleep(_POLL_SECONDS)


def _look(host_run: HostRun, alive: set[str], gone: str) -> Outcome | None:
    """What has become of the run on a host; None as long as it goes on."""
    outcome = Outcome(host_run.worker.host, time.monotonic() - host_run.begun)
    if host_run.future.status in ("finished", "error"):
        try:
            return _answer(host_run.future.result(timeout=FETCH_SECONDS), outcome)
        except Exception as error:  # whatever a worker raised, or why its answer is not there
            outcome.trouble = trouble_of(error)
    elif gone or host_run.future.cancelled():
        outcome.trouble = gone or "the Dask scheduler went away"
    elif host_run.worker.address not in alive or host_run.starts > 1:
        outcome.trouble = f"its worker {host_run.worker.address} died"
    elif time.monotonic() - host_run.heard > connection.STALL_SECONDS:
        outcome.trouble = (
            f"gave no sign of life for {connection.STALL_SECONDS:g} s"
            if host_run.starts
            else f"did not begin within {connection.STALL_SECONDS:g} s: its worker may be busy"
        )
    return outcome if outcome.trouble else None


def _answer(answer: dict[str, Any], outcome: Outcome) -> Outcome:
    outcome.trouble = one_line(answer["trouble"])
    outcome.status, outcome.run = int(answer["status"]), bytes(answer["run"])
    if not outcome.trouble and not outcome.run:
        outcome.trouble = "brought nothing back"
    return outcome


def _keep(outcome: Outcome, target: Path, say: Say) -> bool:
    """Put a run that came back into its folder, say how it ended, and whether all is well."""
    trouble = outcome.trouble
    if not trouble:
        try:
            unpack(outcome.run, target)
        except BadRunError as error:
            trouble = str(error)
    if trouble:
        say(f"{outcome.host}: lost after {outcome.seconds:.0f} s: {trouble}")
        return False
    ended = f", with status {outcome.status}" if outcome.status else ""
    say(f"{outcome.host}: done after {outcome.seconds:.0f} s{ended}: {target}")
    return not outcome.status


def unpack(run: bytes, target: Path) -> None:
    """Make a run's folder from its archive, whole or not at all; raises `BadRunError`."""
    partial = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(io.BytesIO(run)) as archive:
            _check_files(archive.infolist())
            archive.extractall(partial)
        results.load(partial)
        partial.rename(target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        reason = str(error).replace(str(partial), "it")
        raise BadRunError(f"brought back what is not a run: {one_line(reason)}") from None
    except OSError as error:
        raise BadRunError(f"its run cannot be written to {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_files(files: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse names that lead out of the folder, and more than a run can be."""
    for file in files:
        path = PurePosixPath(file.filename)
        outside = path.is_absolute() or ".." in path.parts or re.search(r"[\\:]", file.filename)
        link = (file.external_attr >> 16) & 0o170000 == 0o120000
        if outside or link or not path.parts:
            raise BadRunError(f"brought back a file that leads elsewhere: {one_line(path)!r}")
    size = sum(file.file_size for file in files)
    if size > LARGEST_RUN or len(files) > MOST_FILES:
        raise BadRunError(f"brought back {size / 2**20:,.0f} MiB in {len(files)} files: too much")


def _recall(client: Client, host_runs: Sequence[HostRun]) -> None:
    """Cancel what is not done, and wait until the hosts have ended what they had started."""
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
            alive = set(connection.ask(client, client.scheduler.ncores))
        except UserError:
            return
