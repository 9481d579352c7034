"""Warnings about a run's figures, each with the next thing to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.noise import noise_floor
from forwardbench.analysis.rows import is_control, is_doubted, is_measured
from forwardbench.errors import command_line
from forwardbench.results import HOST, Circumstances, Results
from forwardbench.statistics.intervals import FEWEST_PASSES
from forwardbench.units import format_seconds

NOISY = 1.05
"""A machine with a larger noise floor counts as noisy."""
BUSY_CPUS = 0.1
"""CPUs that other programs may keep busy before there is a warning."""
STOLEN_CPUS = 0.02
"""CPUs that a virtual machine may lose to others before there is a warning."""
LOST_SHARE = 0.02
"""Share of the baseline's time that other programs may take before there is a warning."""
COARSE = 0.01
"""Largest share of the shortest round that the timer's step may be."""


def warnings_of(results: Results, table: pd.DataFrame, run: Path | None) -> list[str]:
    """Say what speaks against the figures of some results, for each machine if there are several.

    ``run`` is the run's folder, if it has one that can be resumed.
    """
    if not results.parts:
        return _warnings(table, results.circumstances, run)
    return [
        f"{part.host}: {line}"
        for part in results.parts
        for line in _warnings(table[table[HOST] == part.host], part.circumstances, None)
    ]


def _warnings(table: pd.DataFrame, circumstances: Circumstances, run: Path | None) -> list[str]:
    """Warnings about one machine's figures, one line each, with what to do."""
    return [
        *_few_passes(table, run),
        *_noise(table, circumstances, run),
        *_neighbours(circumstances),
        *_lost_time(table, circumstances),
        *_settings(circumstances),
        *_implausible(table),
    ]


def _resume(run: Path | None, passes: int) -> str:
    return command_line("run", "--resume", run, "--passes", passes) if run else "measure again"


def _few_passes(table: pd.DataFrame, run: Path | None) -> Iterator[str]:
    passes = int(table["passes"].max())
    measured = table[is_measured(table)]
    if passes == 1 and measured["seconds_low"].notna().any():
        yield (
            "Intervals come from the samples of one run, and other runs may differ by more: "
            "measure in passes with forwardbench run"
        )
    elif 0 < passes < FEWEST_PASSES:
        count = "Only 1 pass, so nothing" if passes == 1 else f"Only {passes} passes, so little"
        yield f"{count} is known of how sure this is: {_resume(run, 10)}"


def _noise(table: pd.DataFrame, circumstances: Circumstances, run: Path | None) -> Iterator[str]:
    floors = [noise_floor(rows) for _, rows in table.groupby(SETTING, sort=False)]
    worst = max((floor for floor in floors if floor == floor), default=1.0)
    passes = int(table["passes"].max())
    if worst > NOISY and passes >= FEWEST_PASSES:  # with fewer, more passes are advised anyway
        more = 2 * max(10, passes)
        yield (
            f"Noisy: ratios of identical code are expected up to {(worst - 1) * 100:.0f} % from 1; "
            f"on a quieter machine, or with more passes, less is noise: {_resume(run, more)}"
        )


def _neighbours(circumstances: Circumstances) -> Iterator[str]:
    if circumstances.others > BUSY_CPUS:
        name = (
            f", {circumstances.busiest} up to {circumstances.busiest_cpus:.2g}"
            if circumstances.busiest
            else ""
        )
        yield (
            f"Busy: other programs kept {circumstances.others:.2g} CPUs busy meanwhile{name}: end "
            "them and run again"
        )
    if circumstances.stolen > STOLEN_CPUS:
        yield (
            f"Stolen time: the host of this virtual machine gave {circumstances.stolen:.2g} CPUs "
            "to somebody else meanwhile: trust ratios rather than seconds, or run again later"
        )


def _lost_time(table: pd.DataFrame, circumstances: Circumstances) -> Iterator[str]:
    """Long calls are interrupted by other programs; calls of a microsecond mostly are not."""
    baselines = sorted(set(table.loc[~is_control(table), "baseline"]))
    for name in baselines:
        lost = circumstances.lost.get(name, 0.0)
        if lost > LOST_SHARE:
            yield (
                f"{name} lost {lost:.0%} of its time to other programs, which fast calls escape: "
                f"speedups over it come out too large: end other programs and run again"
            )


def _settings(circumstances: Circumstances) -> Iterator[str]:
    if circumstances.governor not in ("", "performance"):
        yield (
            f"The CPU frequency governor is {circumstances.governor}, so clocks vary: "
            "sudo cpupower frequency-set --governor performance"
        )
    if circumstances.timer_step > COARSE * circumstances.shortest_round:
        yield (
            f"The timer's step is {format_seconds(circumstances.timer_step)}, coarse for rounds "
            f"of {format_seconds(circumstances.shortest_round)}: trust larger cases only"
        )
    if circumstances.unenforced:
        yield (
            f"Not enforced: {circumstances.unenforced}: compare only what ran alike, or set the "
            "number of threads inside the implementation"
        )


def _implausible(table: pd.DataFrame) -> Iterator[str]:
    count = int((is_doubted(table) & ~is_control(table)).sum())
    if count:
        cells = "1 cell is" if count == 1 else f"{count} cells are"
        yield (
            f"{cells} faster than this machine's measured peak: look for work that is skipped, "
            "kept or unfinished (forwardbench verify)"
        )
