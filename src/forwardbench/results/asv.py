"""Read asv's results folder as `Results`: one commit, or all commits from the oldest on.

asv writes null for a benchmark that failed and NaN for one that was skipped, and keeps no
reasons. Its 99 % intervals come from the samples of one run, so they do not include how runs
differ. They are passed on unchanged, and whatever shows them says where they come from.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forwardbench.cases import Case, CaseError, parse_case
from forwardbench.errors import UserError, one_line
from forwardbench.files import read_json, reporting_bad_contents
from forwardbench.records import DEFAULT_BASELINE, DEFAULT_WORKLOAD
from forwardbench.results import validation
from forwardbench.results.model import (
    CELL_KEY,
    HOST,
    SAMPLE_COLUMNS,
    Circumstances,
    Origin,
    Results,
)
from forwardbench.statistics.intervals import LEVEL
from forwardbench.workloads.forward import SWEEPS

BENCHMARK = "forward.Forward.time_forward"
TOOL = "asv"
INTERVALS = "asv's own, 99 %, from the samples of one run: other runs may differ by more"
FORMAT = 2
"""The `version` of asv's files of results."""
NOT_RESULTS = ("machine.json", "benchmarks.json")
"""Files that asv keeps beside its files of results."""
ROUNDING = 1e-4
"""asv rounds intervals to five digits, so an end may be past the centre by this share."""
NAMED = 8
"""The most commits, machines or files that an error message names."""
_LAST_DATE = 253_402_300_799_000.0
"""The end of the year 9999 in asv's milliseconds."""
_QUOTED = re.compile(r"'([^'\\]*)'")


@dataclass(frozen=True)
class _File:
    """One file of results: those of one commit in one environment."""

    path: Path
    commit: str
    environment: str
    date: float
    """Date of the commit, in milliseconds since 1970."""
    measured: float
    """When its times were taken, in milliseconds since 1970; 0 if unknown."""
    times: dict[str, Any]
    """asv's columns for the benchmark of times, by name; empty where it was not run."""
    document: dict[str, Any]


def holds_results(path: Path) -> bool:
    """Whether a path is asv's results folder, a machine's folder in it, or a file of results."""
    if path.is_dir():
        patterns = ("benchmarks.json", "machine.json", "*/machine.json")
        return any(True for pattern in patterns for _ in path.glob(pattern))
    if path.suffix != ".json":
        return False
    document = read_json(path)
    return isinstance(document, dict) and {"commit_hash", "results"} <= set(document)


def load_commit(path: Path, commit: str = "") -> Results:
    """Read the results of one commit, by the beginning of its hash; the newest without one."""
    files = _read_all(path)
    matches = [file for file in files if file.commit.startswith(commit.lower())]
    if not matches:
        known = _list_first([file.commit[:8] for file in files[::-1]])
        raise UserError(
            f"{path} has no times of commit {one_line(commit)}: it has those of {known}"
        )
    commits = {file.commit for file in matches}
    if commit and len(commits) > 1:
        raise UserError(
            f"{path} has several commits that begin with {one_line(commit)}: give more of "
            f"{_list_first(sorted(commits), ' or ')}"
        )
    return _make_results(_of_one_environment(path, matches)[-1])


def load_commits(path: Path) -> list[Results]:
    """Read the results of every commit, oldest first."""
    return [_make_results(file) for file in _of_one_environment(path, _read_all(path))]


def _read_all(path: Path) -> list[_File]:
    """All files of one machine that have times, sorted by the date of the commit."""
    paths = [path] if path.is_file() else sorted(_machine_folder(path).glob("*.json"))
    files = [_read(each) for each in paths if each.name not in NOT_RESULTS]
    if not files:
        raise UserError(f"{path} holds no results of asv: measure a commit with asv run HEAD^!")
    timed = [file for file in files if file.times]
    if not timed:
        raise UserError(f"{path} holds no times of forwardbench's benchmarks, only others")
    return sorted(timed, key=lambda file: file.date)


def _machine_folder(path: Path) -> Path:
    if (path / "machine.json").exists():
        return path
    machines = sorted(each.parent for each in path.glob("*/machine.json"))
    if len(machines) == 1:
        return machines[0]
    if not machines:
        raise UserError(f"{path} holds no results of asv: measure a commit with asv run HEAD^!")
    return max(machines, key=_last_measured)


def _last_measured(machine: Path) -> float:
    """When the newest of a machine's times was taken, in milliseconds since 1970."""
    files = [_read(each) for each in machine.glob("*.json") if each.name not in NOT_RESULTS]
    return max((file.measured for file in files), default=0.0)


def _of_one_environment(path: Path, files: list[_File]) -> list[_File]:
    """Return the files unchanged; raises `UserError` where they are of several environments."""
    newest = {file.environment: file.path for file in files}
    if len(newest) > 1:
        raise UserError(
            f"{path} holds results of several environments: give a file of one, "
            f"{_list_first(sorted(newest.values()), ' or ')}"
        )
    return files


def _list_first(names: list[Any], separator: str = ", ") -> str:
    """List the first of many names, which may come from files, and count the rest."""
    rest = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return separator.join([*(one_line(name) for name in names[:NAMED]), *rest])


def _read(path: Path) -> _File:
    document = read_json(path)
    with reporting_bad_contents(path):
        commit = validation.text(document["commit_hash"], "a commit")
        results = document["results"]
        if document.get("version") != FORMAT:
            raise UserError(
                f"{path} is not in format {FORMAT} of asv's results: bring older ones up to it "
                "with asv update"
            )
        times = results.get(BENCHMARK)
        # asv leaves out trailing columns that are null.
        columns = (
            {} if times is None else dict(zip(document["result_columns"], times, strict=False))
        )
        return _File(
            path,
            commit.lower(),
            validation.text(document["env_name"], "an environment"),
            validation.number(document["date"], 0, _LAST_DATE, "a date"),
            validation.number(columns.get("started_at") or 0, 0, _LAST_DATE, "a date"),
            columns,
            document,
        )


def _make_results(file: _File) -> Results:
    with reporting_bad_contents(file.path):
        rows = list(_rows(file))
        facts = _facts(file)
        hardware = ", ".join(facts[name] for name in ("CPU", "CPUs") if name in facts)
        measured = [row for row in rows if row["status"] == "measured"]
        samples = [{**row, "pass": 1, "error": float("nan")} for row in measured]
        return Results(
            samples=pd.DataFrame(samples, columns=SAMPLE_COLUMNS),
            cells=pd.DataFrame(rows).drop(columns=["seconds", "low", "high"]),
            baseline=DEFAULT_BASELINE,
            machine=f"{hardware}, timed by asv" if hardware else "timed by asv",
            commit=one_line(file.commit[:10]),
            ceilings={},
            level=LEVEL,
            circumstances=Circumstances(),
            origin=Origin(TOOL, hardware, one_line(file.times.get("version") or ""), facts),
        )


def _rows(file: _File) -> Iterator[dict[str, Any]]:
    """One row for each implementation and case, with status, seconds and asv's interval."""
    names, cases = ([_unquoted(value) for value in axis] for axis in file.times["params"])
    count = validation.whole(len(names) * len(cases), 1, validation.MOST_CELLS, "a number of cells")
    columns = [
        _column(file.times.get(name), count)
        for name in ("result", "stats_ci_99_a", "stats_ci_99_b")
    ]
    variables = file.document.get("env_vars") or {}
    threads = int(variables.get("OMP_NUM_THREADS", 1))
    validation.whole(threads, 1, validation.MOST_CPUS, "a number of threads")
    pairs = itertools.product(names, cases)
    for (name, text), value, low, high in zip(pairs, *columns, strict=True):
        sweep, case = _find_case(text)
        key = (
            one_line(name), sweep, str(case), case.activation, case.dtype, threads, DEFAULT_WORKLOAD
        )  # fmt: skip
        status, reason = _status(value)
        times = _interval(value, low, high) if status == "measured" else [float("nan")] * 3
        yield {
            **dict(zip(CELL_KEY, key, strict=True)),
            HOST: "",
            "batch": case.batch,
            "widths": "-".join(map(str, case.widths)),
            "control_of": "",
            "status": status,
            "reason": reason,
            **dict.fromkeys(("predicted", "predicted_low", "predicted_high"), float("nan")),
            **dict(zip(("seconds", "low", "high"), times, strict=True)),
        }


def _unquoted(value: Any) -> str:
    """A parameter without the quotes that asv writes, as in `'matmul'`."""
    match = _QUOTED.fullmatch(validation.text(value, "a parameter"))
    if match is None:
        raise ValueError(f"a parameter {value!r}")
    return match[1]


def _column(values: Any, count: int) -> list[Any]:
    """One value for each cell; where all are null, asv writes a single null."""
    if values is None:
        return [None] * count
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"not a list of {count} results")
    return values


def _find_case(text: str) -> tuple[str, Case]:
    """The sweep and the case of a notation, searched in the same order as by the benchmarks."""
    for name in ("course", "square"):
        for case in SWEEPS[name].cases:
            if str(case) == text:
                return name, case
    try:
        return "shapes", parse_case(text)
    except CaseError as error:  # the file is wrong, not something that the user typed
        raise ValueError(str(error)) from None


def _status(value: Any) -> tuple[str, str]:
    if value is None:
        return "failed", "raised, crashed or timed out under asv, which keeps no reason"
    if isinstance(value, float) and math.isnan(value):
        return "skipped", "skipped under asv: not in this commit, or predicted to be too slow"
    return "measured", ""


def _interval(value: Any, low: Any, high: Any) -> list[float]:
    """A time and asv's interval around it; NaN where asv had too few samples to give one."""
    centre = validation.seconds(value)
    ends = [float("nan") if end is None else float(end) for end in (low, high)]
    if not all(validation.SHORTEST <= end <= validation.LONGEST for end in ends):
        return [centre, float("nan"), float("nan")]
    if ends[0] > centre * (1 + ROUNDING) or ends[1] < centre * (1 - ROUNDING):
        raise ValueError(f"an interval from {ends[0]} to {ends[1]} around {centre}")
    return [centre, min(ends[0], centre), max(ends[1], centre)]


def _facts(file: _File) -> dict[str, str]:
    machine = file.document["params"]
    facts = {
        "CPU": machine.get("cpu"),
        "CPUs": f"{machine['num_cpu']} CPUs" if machine.get("num_cpu") else "",
        "memory": _memory(str(machine.get("ram") or "")),
        "system": machine.get("os"),
        "Python": file.document.get("python"),
        "timed by": TOOL,
        "commit": file.commit[:10],
        "date of the commit": f"{datetime.fromtimestamp(file.date / 1e3, UTC):%Y-%m-%d}",
        "intervals": INTERVALS,
    }
    return {name: one_line(value) for name, value in facts.items() if value}


def _memory(text: str) -> str:
    """Memory in GiB where asv counted bytes; a text that was written by hand stays as it is."""
    if re.fullmatch("[0-9]{1,18}", text):
        return f"{int(text) / 2**30:.0f} GiB"
    return text
