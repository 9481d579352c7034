"""Describe a comparison in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from forwardbench.analysis.comparison import NOT_COMPARABLE, Comparison, is_shown
from forwardbench.analysis.noise import NO_DIFFERENCE
from forwardbench.statistics.intervals import Interval


def count_verdicts(comparison: Comparison) -> str:
    """Say how many cells have which verdict."""
    counts = comparison.cells["verdict"].value_counts()
    words = ("faster", "slower", NO_DIFFERENCE, NOT_COMPARABLE)
    return ", ".join(f"{int(counts.get(word, 0))} {word}" for word in words) + "."


def describe_drift(comparison: Comparison) -> str:
    """Say what was compared, and how far the machine differed."""
    if not comparison.relative_to:
        return "Seconds a call were compared: a machine that changed in between changed them too."
    sentence = f"Times are relative to {comparison.relative_to} in the same pass."
    if comparison.drift.centre != comparison.drift.centre:
        return sentence
    return (
        f"{sentence} In seconds it was itself {comparison.drift.centre:.3f} times as fast in the "
        "second. A difference is shown only if it is larger than that move may have been, and if "
        "seconds differ the same way."
    )


def describe_mean(comparison: Comparison, mean: Interval) -> str:
    """Say how many times as fast the second is on average."""
    ends = f"{comparison.intervals} {mean.low:.3f} to {mean.high:.3f}"
    sure = f" ({ends})" if mean.low == mean.low else ""
    return f"{mean.centre:.3f} times as fast{sure}"


def _verdict(comparison: Comparison, mean: Interval) -> str:
    """Describe a mean, and say if it shows no difference."""
    words = describe_mean(comparison, mean)
    return words if is_shown(comparison, mean) else f"{words}, {NO_DIFFERENCE}"


def sentences(comparison: Comparison) -> Iterator[str]:
    """Say what was found, in sentences."""
    cells = comparison.cells
    yield count_verdicts(comparison)
    for name, mean in comparison.means.items():
        yield f"Geometric mean, {name}: {_verdict(comparison, mean)}."
    if comparison.overall is not None:
        yield f"Geometric mean, everything: {_verdict(comparison, comparison.overall)}."
    if comparison.intervals != "95 % interval":
        yield "Intervals are the timing tool's own, of one run each: other runs may differ by more."
    obstacles = cells.loc[cells["verdict"] == NOT_COMPARABLE, "obstacle"]
    for obstacle, count in obstacles.value_counts().items():
        yield f"Not comparable, {count} {'cell' if count == 1 else 'cells'}: {obstacle}."
