"""Read what was measured: run folders and pytest-benchmark's JSON files.

Both become the same two data frames, one row per cell and pass and one row per cell,
from which `forwardbench.analysis` makes the table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.measure.cells import Cell
from forwardbench.measure.request import DEFAULT_BASELINE

CELL_KEY = ["implementation", "sweep", "case", "activation", "dtype", "threads"]
"""Columns that together name a cell. A control's implementation says that it is one."""


LEFT_OUT = ("skipped", "rejected", "failed", "unavailable")
"""What a cell that was planned out can be in `run.json`."""


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV; what is not known is empty."""
    try:
        table.to_csv(path, index=False)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None


class ResultsError(UserError):
    """Results that cannot be read, in one line that names the file."""


@dataclass(frozen=True)
class Results:
    """Everything that was measured or left out, before any statistics."""

    samples: pd.DataFrame
    """One row per cell and pass: `CELL_KEY`, pass, seconds (a call), error."""
    cells: pd.DataFrame
    """One row per cell: `CELL_KEY`, batch, widths, control_of, status, reason, and predicted,
    predicted_low and predicted_high in seconds for cells that were never called."""
    baseline: str
    machine: str
    commit: str
    ceilings: dict[tuple[str, int], tuple[float, float]]
    """GFLOP/s and bytes per second that the machine reached, by dtype and threads."""


def load(path: str | Path) -> Results:
    """Read a run folder or a pytest-benchmark JSON file; raises `ResultsError`."""
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    if path.exists():
        only = _read_pass(path)
        if not only.seconds:
            raise ResultsError(f"{path} holds no results of forwardbench's benchmarks")
        cells = {cell: _cell_row(cell) for cell in only.seconds}
        return _assemble([only], cells, DEFAULT_BASELINE, {})
    raise ResultsError(f"there are no results at {path}: give a run's folder or a JSON file")


def _load_folder(folder: Path) -> Results:
    run = folder / "run.json"
    if not run.is_file():
        raise ResultsError(f"{folder} is not a run: it holds no run.json")
    document = _read_json(run)
    try:
        baseline = str(document["request"]["baseline"])
        cells = {}
        for item in document.get("measured", []):
            cell = Cell.from_json(item["cell"])
            cells[cell] = _cell_row(cell)
        for item in document.get("skipped", []):
            cell = Cell.from_json(item["cell"])
            if item["status"] not in LEFT_OUT:
                raise ValueError(f"status {item['status']!r}")
            cells[cell] = _cell_row(cell, item["status"], item["reason"], item["estimate"])
        ceilings = {
            (str(each["dtype"]), int(each["threads"])): (
                _positive(each["gflops"]),
                _positive(each["bytes_per_second"]),
            )
            for each in document.get("ceilings", [])
        }
    except _MALFORMED as error:
        raise _malformed(run, error) from None
    if not cells:
        raise ResultsError(f"{folder} holds a run that measured nothing: run it again")
    passes = [_read_pass(path) for path in sorted(folder.glob("pass-*.json"))]
    return _assemble(passes, cells, baseline, ceilings)


_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a document of another form raises."""


def _malformed(path: Path, error: Exception) -> ResultsError:
    what = describe_error(error)
    return ResultsError(f"{path} is not of a form that forwardbench writes ({what})")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ResultsError(
            f"{path} is torn or is not JSON: delete it, or restore it from a copy"
        ) from None


@dataclass(frozen=True)
class _Pass:
    """One pass: seconds and error of each cell, and what the machine and the code were."""

    seconds: dict[Cell, float]
    errors: dict[Cell, float]
    trouble: dict[str, tuple[str, str]]
    """Status and reason of each cell, by its name, that was rejected or failed."""
    machine: str
    commit: str


def _read_pass(path: Path) -> _Pass:
    document = _read_json(path)
    seconds, errors, trouble = {}, {}, {}
    try:
        for cell, reason in document.get("failures", {}).items():
            trouble[str(cell)] = ("failed", one_line(reason))
        for benchmark in document["benchmarks"]:
            info = benchmark["extra_info"]
            if "cell" not in info:
                continue  # another project's benchmark beside ours
            cell = Cell.from_json(info["cell"])
            seconds[cell] = _positive(benchmark["stats"]["median"])
            errors[cell] = float(info.get("error", "nan"))
            if "rejected" in info:
                trouble[str(cell)] = ("rejected", one_line(info["rejected"]))
        machine = _machine_name(document.get("machine_info", {}))
        commit = _commit_name(document.get("commit_info") or {})
    except _MALFORMED as error:
        raise _malformed(path, error) from None
    return _Pass(seconds, errors, trouble, machine, commit)


def _positive(seconds: Any) -> float:
    if not 0 < float(seconds) < float("inf"):
        raise ValueError(f"a time of {seconds} s")
    return float(seconds)


def _machine_name(info: dict[str, Any]) -> str:
    """Name a machine by what decides its speed, as in `AMD EPYC, 2 CPUs, OpenBLAS 0.3.31`."""
    cpu = info.get("cpu") or {}
    brand = str(cpu.get("brand_raw") or info.get("processor") or "")
    count = f"{cpu['count']} CPUs" if cpu.get("count") else ""
    parts = (brand, count, str(info.get("blas") or ""))
    return one_line(", ".join(part for part in parts if part))


def _commit_name(info: dict[str, Any]) -> str:
    """Ten digits of a commit; pytest-benchmark writes `unversioned` where there is none."""
    name = str(info.get("id") or "")
    if name in ("", "unversioned"):
        return ""
    return one_line(name[:10]) + ("-dirty" if info.get("dirty") else "")


def _key(cell: Cell) -> dict[str, Any]:
    """The columns of `CELL_KEY`."""
    case = cell.case
    values = (cell.label, cell.sweep, str(case), case.activation, case.dtype, cell.threads)
    return dict(zip(CELL_KEY, values, strict=True))


def _cell_row(
    cell: Cell, status: str = "measured", reason: str = "", estimate: Sequence[Any] = ()
) -> dict[str, Any]:
    """One row of `Results.cells`."""
    predicted, low, high = (
        float("nan") if value is None else _positive(value)
        for value in (*estimate, None, None, None)[:3]
    )
    return {
        **_key(cell),
        "batch": cell.case.batch,
        "widths": "-".join(map(str, cell.case.widths)),
        "control_of": cell.implementation if cell.control else "",
        "status": str(status),
        "reason": one_line(reason),
        "predicted": predicted,
        "predicted_low": low,
        "predicted_high": high,
    }


def _assemble(
    passes: list[_Pass],
    cells: dict[Cell, dict[str, Any]],
    baseline: str,
    ceilings: dict[tuple[str, int], tuple[float, float]],
) -> Results:
    """Bring the passes together, and say of each cell what became of it."""
    samples = [
        {**_key(cell), "pass": number, "seconds": seconds, "error": each.errors[cell]}
        for number, each in enumerate(passes, 1)
        for cell, seconds in each.seconds.items()
    ]
    trouble = {name: what for each in passes for name, what in each.trouble.items()}
    for cell, row in cells.items():
        if str(cell) in trouble:
            row["status"], row["reason"] = trouble[str(cell)]
        elif row["status"] == "measured" and not any(cell in each.seconds for each in passes):
            row["status"], row["reason"] = "skipped", "the run ended before it was measured"
    return Results(
        pd.DataFrame(samples, columns=[*CELL_KEY, "pass", "seconds", "error"]),
        pd.DataFrame(list(cells.values())),
        baseline,
        passes[0].machine if passes else "",
        passes[0].commit if passes else "",
        ceilings,
    )
