"""Read runs of several machines, each in its own folder, as one `Results`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from forwardbench.errors import UserError, one_line
from forwardbench.results import runs
from forwardbench.results.model import HOST, Circumstances, Origin, Results


def run_folders(folder: Path) -> list[Path]:
    """The run folders in a folder, by name; none where the folder is itself a run."""
    if (folder / "run.json").is_file():
        return []
    return sorted(path.parent for path in folder.glob("[!.]*/run.json"))


def load_machines(folder: Path) -> Results:
    """Read every run in a folder; each machine has its folder's name. Raises `UserError`."""
    paths = run_folders(folder)
    parts = [_with_host(runs.load_folder(path), one_line(path.name)) for path in paths]
    workloads = {part.host: part.origin.workload for part in parts if part.origin.workload}
    if len(set(workloads.values())) > 1:
        versions = ", ".join(f"{host} {workload}" for host, workload in workloads.items())
        raise UserError(
            f"the runs in {folder} computed different inputs (version {versions}), so their times "
            "cannot be compared: move some of them elsewhere"
        )
    return join(parts)


def _with_host(part: Results, host: str) -> Results:
    """The same results with the name of their machine."""
    samples, cells = (frame.assign(**{HOST: host}) for frame in (part.samples, part.cells))
    return replace(part, samples=samples, cells=cells, host=host)


def join(parts: Sequence[Results]) -> Results:
    """Put the results of several machines, each with its host, side by side."""
    baselines = {part.baseline for part in parts}
    commits = dict.fromkeys(part.commit for part in parts if part.commit)
    return Results(
        samples=pd.concat([part.samples for part in parts]),
        cells=pd.concat([part.cells for part in parts]),
        baseline=baselines.pop() if len(baselines) == 1 else "",
        machine="; ".join(name_machine(part) for part in parts),
        commit=", ".join(commits),
        ceilings={},  # each machine has its own, in `parts`
        level=max(part.level for part in parts),
        circumstances=Circumstances(),
        origin=Origin(
            parts[0].origin.tool, "", parts[0].origin.workload,
            dict(_facts({part.host: part.origin.facts for part in parts})),
        ),
        parts=tuple(parts),
    )  # fmt: skip


def name_machine(part: Results) -> str:
    """Name a machine so that two with the same CPU are told apart."""
    return ": ".join(text for text in (part.host, part.machine) if text)


def _facts(facts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """First the facts that hold for all machines, then the other facts of each machine."""
    first, *others = facts.values()
    common = {
        name for name, value in first.items() if all(other.get(name) == value for other in others)
    }
    yield from ((name, value) for name, value in first.items() if name in common)
    for host, machine in facts.items():
        yield from ((f"{host}: {name}", machine[name]) for name in machine if name not in common)
