"""The folder of a run while it is being measured: it is made, locked and resumed here.

`run.json` holds the request, the environment, the verdicts and the plan. Each pass adds a file.
`forwardbench.results` reads the files of a run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import psutil

from forwardbench import __version__, workloads
from forwardbench.errors import UserError, command_line, one_line
from forwardbench.files import (
    PART,
    read_json,
    remove_leftovers,
    reporting_bad_contents,
    write_whole,
)
from forwardbench.measure.environment import describe_machine, timer_step
from forwardbench.measure.fingerprint import changes, fingerprint, frameworks, on_gpu
from forwardbench.measure.passes import predicted_seconds
from forwardbench.measure.plan import Plan
from forwardbench.measure.request import Request, check_here, choose_contenders
from forwardbench.measure.run_options import RunOptions
from forwardbench.records import FIRST_CALLS_FILE as FIRST_CALLS
from forwardbench.records import Cell, FirstCalls
from forwardbench.verification.verify import Verdict

FORMAT = 2
"""Version of `run.json`."""
LOCK = ".lock"
"""A run holds this lock while it writes. The system frees it when the process ends."""


@dataclass
class FinishedPasses:
    """The data of the finished passes that decide what to measure next."""

    numbers: list[int] = field(default_factory=list)
    samples: dict[Cell, dict[int, float]] = field(default_factory=dict)
    """Median seconds a call of each cell, by pass number."""
    failures: dict[str, str] = field(default_factory=dict)
    """The reason for each cell that has failed."""
    seconds: float = 0.0
    """Total time of the passes."""


@dataclass
class RunFolder:
    """A run's folder; only this process writes into it."""

    path: Path
    document: dict[str, Any]
    lock: filelock.BaseFileLock
    _passes: FinishedPasses = field(default_factory=FinishedPasses)

    @property
    def origin(self) -> dict[str, Any]:
        """Machine and commit, which each pass stores."""
        environment = self.document["environment"]
        return {"machine": environment["machine"], "commit": environment["commit"]}

    @property
    def is_planned(self) -> bool:
        """Whether `run.json` already holds verification and plan."""
        return "measured" in self.document

    @property
    def request(self) -> Request:
        """The request of the run."""
        with reporting_bad_contents(self.path / "run.json"):
            return Request.from_json(self.document["request"])

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts; none before they are recorded."""
        with reporting_bad_contents(self.path / "run.json"):
            verdicts = [Verdict(**values) for values in self.document.get("verification", [])]
            for verdict in verdicts:
                if not isinstance(verdict.implementation, str):
                    raise TypeError(f"a verdict on {verdict.implementation!r}")
            return verdicts

    @property
    def plan(self) -> Plan:
        """The plan; it must be recorded already."""
        with reporting_bad_contents(self.path / "run.json"):
            return Plan.from_json(self.document, self.request)

    def change_request(self, request: Request) -> None:
        """Store a request that asks for more, or less, than before.

        Whoever adds passes to a finished run has usually seen its results. So its intervals are
        widened, like those of a run with a precision to reach.
        """
        if self.document.get("finished") and request.passes > self.request.passes:
            self.document["extended"] = True
        self.document["request"] = request.to_json()
        self.document["finished"] = None
        self.write()

    def write(self) -> None:
        """Write `run.json`, whole or not at all."""
        with reporting_bad_contents(self.path / "run.json"):
            _write_document(self.path, self.document)

    def record_plan(
        self,
        verdicts: Mapping[str, Verdict],
        plan: Plan,
        spent_seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Store the verdicts, the plan, and the seconds that each stage took.

        The expected length of a pass is stored too, so that it can be compared with the real one.
        """
        self.document["verification"] = [asdict(verdict) for verdict in verdicts.values()]
        self.document.update(plan.to_json())
        if spent_seconds is not None:
            self.document["spent"] = dict(spent_seconds)
        self.document["expected_pass_seconds"] = predicted_seconds(
            plan.measured, self.request.visits
        )
        self.write()

    def finish(self) -> None:
        """Record that the run is finished."""
        self.document["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.write()

    def finished_passes(self) -> FinishedPasses:
        """Read the passes that are new since the last call; raises `UserError`."""
        while (path := self.path / f"pass-{len(self._passes.numbers) + 1:03d}.json").exists():
            document = read_json(path)
            with reporting_bad_contents(path):
                _add_pass(self._passes, document)
        return self._passes

    def first_calls(self) -> FirstCalls:
        """Read the first calls timed so far; raises `UserError`."""
        return FirstCalls.read(self.path)

    def write_first_calls(self, timed: FirstCalls) -> None:
        """Write the first calls timed so far, whole or not at all."""
        write_whole(self.path / FIRST_CALLS, json.dumps(timed.to_json(), indent=1) + "\n")


def default_path() -> Path:
    """The folder of a run without ``--output``."""
    return Path(f"results/run-{datetime.now():%Y%m%d-%H%M%S}")


def claim_folder(path: Path, request: Request) -> RunFolder:
    """Make a run's folder and write to it; if that fails, it fails before any measurement."""
    machine = describe_machine()
    document = {
        "format": FORMAT,
        "forwardbench": __version__,
        "workload_version": workloads.get(request.workload).version,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": None,
        "request": request.to_json(),
        "environment": _environment(request, machine),
        "fingerprint": fingerprint(request.contenders, machine, request.workload),
    }
    if path.exists():
        raise UserError(
            f"{path} exists already: name a new folder with --output, or continue a run that "
            f"was interrupted: {resume_command(path, request)}"
        )
    # Filled under another name, then renamed: no run's folder ever lacks its run.json.
    partial = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        _remove_leftovers(path.parent)
        partial.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {path}: {error.strerror}: name another with --output"
        ) from None
    try:
        _write_document(partial, document)
        partial.rename(path)
    except OSError as error:
        raise UserError(
            f"cannot write into {path}: {error.strerror}: name another folder with --output"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # gone, unless something went wrong
    return RunFolder(path, document, _lock(path))


def _environment(request: Request, machine: dict[str, Any]) -> dict[str, Any]:
    """What a run is measured with and on."""
    return {
        "machine": machine,
        "timer_step": timer_step(),
        "commit": forwardbench_commit(),
        "frameworks": frameworks(request.contenders),
        "on_gpu": on_gpu(request.contenders),
    }


def _remove_leftovers(parent: Path) -> None:
    """Remove what `claim_folder` left when its process was killed: a folder with a `run.json`."""
    for leftover in parent.glob(f".*{PART}"):
        process = re.fullmatch(rf"\..+\.([0-9]{{1,9}})\{PART}", leftover.name)
        if process is None or leftover.is_symlink() or psutil.pid_exists(int(process[1])):
            continue
        with suppress(OSError):
            # What holds anything else is not of forwardbench.
            if all(path.name.startswith("run.json") for path in leftover.iterdir()):
                shutil.rmtree(leftover)


def resume_folder(path: Path, options: RunOptions | None = None) -> RunFolder:
    """Open the folder of a run to continue it; raises `UserError` if something has changed.

    The folder may come from elsewhere: its files are data, and decide nothing that is imported or
    run. The user's own files are run only if ``options`` name them again.
    """
    if not (path / "run.json").is_file():
        raise UserError(f"there is no run to resume in {path}: it holds no run.json")
    lock = _lock(path)
    document = read_json(path / "run.json")
    with reporting_bad_contents(path / "run.json"):
        if document["format"] != FORMAT:
            raise UserError(
                f"{path} was written by another version of forwardbench (format "
                f"{one_line(document['format'])}, not {FORMAT}): start a new run"
            )
        request = Request.from_json(document["request"])
        recorded = dict(document["fingerprint"])
    _check_named_again(path, request, options or RunOptions())
    machine = describe_machine()
    now = fingerprint(request.contenders, machine, request.workload)
    changed = list(changes(recorded, now))
    if changed:
        raise UserError(
            f"{path} cannot be resumed, since its passes would not compare: "
            f"{'; '.join(changed)}: start a new run"
        )
    check_here(request)
    for written_into in (path, path / "charts"):
        remove_leftovers(written_into)
    document["environment"] = _environment(request, machine)
    folder = RunFolder(path, document, lock)
    folder.finished_passes()
    folder.first_calls()
    if folder.is_planned:
        _ = folder.plan, folder.verdicts  # a bad file is reported before it is changed
    return folder


def _check_named_again(path: Path, request: Request, options: RunOptions) -> None:
    """Raise `UserError` unless the user has named exactly the files that a run imports.

    `run.json` names files of the user's own, and holds their fingerprints. But whoever made the
    folder wrote both, so neither shows that the user wants these files to be run.
    """
    named: dict[str, str] = {}
    if "implementations" in options.given:
        named = choose_contenders(options.implementations, workloads.get(request.workload))
    for name, reference in named.items():
        if request.contenders.get(name) != reference:
            raise UserError(
                f"--resume goes on with what the run was asked for, and {reference} is not in it: "
                "leave it out, or start a new run"
            )
    unnamed = [file for name, file in request.own_files.items() if name not in named]
    if unnamed:
        others = replace(options, given=options.given - {"implementations"})
        raise UserError(
            f"{path} is a run of {' and '.join(unnamed)}: forwardbench runs a file that is not its "
            "own only if you name it again: "
            f"{resume_command(path, request, *others.arguments())}"
        )


def resume_command(path: Path, request: Request, *more: str) -> str:
    """The command that goes on with a run; it names the user's own files again."""
    files = (
        word for file in request.own_files.values() for word in ("--implementation", Path(file))
    )
    return command_line("run", "--resume", path, *files, *more)


def _lock(path: Path) -> filelock.BaseFileLock:
    """Keep other runs out of a folder until this process ends."""
    if (path / LOCK).is_symlink():  # the file that it leads to would be emptied
        raise UserError(f"{path / LOCK} is a link, and a run's lock is none: remove it")
    lock = filelock.FileLock(path / LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UserError(
            f"another run is writing into {path}: wait for it to end, or name another folder "
            "with --output"
        ) from None
    except (OSError, NotImplementedError):
        pass  # a file system without locks: better unguarded than not at all
    return lock


def forwardbench_commit() -> dict[str, Any]:
    """Return the commit of forwardbench's own source; empty for an installed copy."""
    package = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # An installed copy may lie inside another project's repository, whose commit is not its.
        git("ls-files", "--error-unmatch", str(Path(__file__)))
        return {
            "id": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--", str(package))),
        }
    except (OSError, subprocess.CalledProcessError):
        return {}


def _write_document(folder: Path, document: dict[str, Any]) -> None:
    write_whole(folder / "run.json", json.dumps(document, indent=1) + "\n")


def _add_pass(passes: FinishedPasses, document: dict[str, Any]) -> None:
    number = len(passes.numbers) + 1
    for benchmark in document["benchmarks"]:
        cell = Cell.from_json(benchmark["extra_info"]["cell"])
        passes.samples.setdefault(cell, {})[number] = float(benchmark["stats"]["median"])
    passes.failures.update(document["failures"] | document.get("rejected", {}))
    passes.seconds += float(document["meanwhile"]["seconds"])
    passes.numbers.append(number)
