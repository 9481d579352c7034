"""The folder of a run, and the passes that fill it.

`run.json` says what was asked, what was verified, and what becomes of each cell; each
pass adds a file of its own. `forwardbench.results` reads them back.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forwardbench import __version__
from forwardbench.cases import WORKLOAD_VERSION
from forwardbench.errors import UserError
from forwardbench.measure.passes import STALL_SECONDS, PassResult, run_pass, write_pass, write_whole
from forwardbench.measure.plan import Plan
from forwardbench.measure.request import Request
from forwardbench.verify import Verdict

FORMAT = 1
"""Version of `run.json`."""


@dataclass
class RunFolder:
    """A run's folder, which this process has made."""

    path: Path
    document: dict[str, Any]

    def write(self) -> None:
        """Write `run.json`, whole or not at all."""
        write_whole(self.path / "run.json", json.dumps(self.document, indent=1) + "\n")


def claim_folder(path: Path, request: Request) -> RunFolder:
    """Make a run's folder and write into it, so that nothing is measured in vain."""
    document = {
        "format": FORMAT,
        "forwardbench": __version__,
        "workload_version": WORKLOAD_VERSION,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": None,
        "request": request.to_json(),
        "environment": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "commit": forwardbench_commit(),
        },
    }
    folder = RunFolder(path, document)
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise UserError(f"{path} exists already: name a new folder with --output") from None
    except OSError as error:
        raise UserError(
            f"cannot make the folder {path}: {error.strerror}: name another with --output"
        ) from None
    try:
        folder.write()
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise UserError(
            f"cannot write into {path}: {error.strerror}: name another folder with --output"
        ) from None
    return folder


def forwardbench_commit() -> dict[str, Any]:
    """Name the commit that forwardbench itself runs from; empty for an installed copy."""
    package = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # An installed copy may lie inside another project's repository: that is not its commit.
        git("ls-files", "--error-unmatch", str(Path(__file__)))
        return {
            "id": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--", str(package))),
        }
    except (OSError, subprocess.CalledProcessError):
        return {}


def record_plan(folder: RunFolder, verdicts: Mapping[str, Verdict], plan: Plan) -> None:
    """Add to `run.json` what was verified, the machine's peaks, and what becomes of each cell."""
    folder.document["ceilings"] = plan.ceilings
    folder.document["verification"] = [asdict(verdict) for verdict in verdicts.values()]
    folder.document["measured"] = [
        {"cell": planned.cell.to_json(), "expected_seconds": planned.seconds}
        for planned in plan.measured
    ]
    folder.document["skipped"] = [
        {
            "cell": skipped.cell.to_json(),
            "status": skipped.status,
            "reason": skipped.reason,
            "estimate": list(skipped.estimate),
        }
        for skipped in plan.skipped
    ]
    folder.write()


def _keep_pass(folder: RunFolder, number: int, result: PassResult) -> None:
    """Write a pass; where that fails, say what is safe."""
    try:
        write_pass(folder.path, number, result)
    except OSError as error:
        raise UserError(
            f"cannot write pass {number} into {folder.path}: {error.strerror}; the "
            f"{number - 1} passes before it are safe: forwardbench show {folder.path}"
        ) from None


def measure_passes(
    folder: RunFolder,
    request: Request,
    plan: Plan,
    on_cell: Callable[[], None] = lambda: None,
    on_pass: Callable[[int], None] = lambda number: None,
    stall_seconds: float = STALL_SECONDS,
) -> None:
    """Measure pass after pass, each kept as soon as it ends.

    A cell that fails in one pass is left out of the next, and without cells there is no
    next.
    """
    remaining = list(plan.measured)
    for number in range(1, request.passes + 1):
        result = run_pass(
            remaining,
            f"{request.seed}/{number}",
            folder.document["environment"]["commit"],
            on_cell,
            stall_seconds,
        )
        _keep_pass(folder, number, result)
        on_pass(number)
        remaining = [p for p in remaining if str(p.cell) not in result.failures]
        if not remaining:
            break
    folder.document["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    folder.write()
