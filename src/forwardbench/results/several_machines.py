"""Runs of several machines, each in a folder of its own, as one `Results`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from forwardbench.errors import UserError, one_line
from forwardbench.results import runs
from forwardbench.results.model import HOST, Circumstances, Origin, Results


def run_folders(folder: Path) -> list[Path]:
    """The runs that lie in a folder, by name; none where it is a run itself."""
    if (folder / "run.json").is_file():
        return []
    return sorted(path.parent for path in folder.glob("[!.]*/run.json"))


def load_machines(folder: Path) -> Results:
    """Read every run in a folder, each named by its own; raises `UserError`."""
    parts = [_named(runs.load_folder(path), one_line(path.name)) for path in run_folders(folder)]
    workloads = {part.host: part.origin.workload for part in parts if part.origin.workload}
    if len(set(workloads.values())) > 1:
        named = ", ".join(f"{host} {workload}" for host, workload in workloads.items())
        raise UserError(
            f"the runs in {folder} computed different inputs (version {named}), so their times do "
            "not stand side by side: move some of them elsewhere"
        )
    return join(parts)


def _named(part: Results, host: str) -> Results:
    """The same results, saying which machine they are of."""
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
        ceilings={},  # each machine's are its own part's
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
    """What holds for all machines once, and then what each says otherwise."""
    first, *others = facts.values()
    common = {
        name for name, value in first.items() if all(each.get(name) == value for each in others)
    }
    yield from ((name, value) for name, value in first.items() if name in common)
    for host, own in facts.items():
        yield from ((f"{host}: {name}", own[name]) for name in own if name not in common)
