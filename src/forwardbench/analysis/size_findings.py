"""Sizes in sentences: those that were measured, and where the lines between them cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from forwardbench.analysis.crossovers import Change, Crossover, Lead, Reach
from forwardbench.analysis.rows import size_axis


def size_word(rows: pd.DataFrame) -> str:
    """What the sizes of a sweep are called: one network has batches, others have sizes."""
    if size_axis(rows) == "inputs":
        return "width"
    return "batch" if rows["widths"].nunique() == 1 else "size"


def format_crossover(crossover: Crossover) -> str:
    """Write where the lines of two series cross, as in `(crossing 3.1, 2.9 to 3.4)`."""
    size, low, high, _ = crossover
    interval = f", {format_size(low)} to {format_size(high)}" if low == low else ""
    return f"(crossing {format_size(size)}{interval})"


def format_size(size: float, digits: int = 3) -> str:
    """Write a size between those measured, as in `3.26` or `12,300`."""
    rounded = float(f"{size:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def reach_words(found: Reach, word: str = "size") -> str:
    """Say over which sizes something holds; ``word`` is what a size is called."""
    span = f"{found.sizes[0]:,} to {found.sizes[-1]:,}" if found.sizes else "no size in common"
    if found.kind == "always":
        return f"at every {word} ({span})"
    if found.kind == "never":
        return f"never in this range ({span})"
    if found.kind == "unclear":
        return f"no difference shown ({span})"
    if found.crossover is None:
        return f"at {_list(found.shown, word)}, and at no other {word} measured ({span})"
    crossing = format_crossover(found.crossover)
    if found.kind == "from":
        return f"from {word} {found.shown[0]:,} on {crossing}"
    return f"up to {word} {found.shown[-1]:,} {crossing}"


def _list(sizes: tuple[int, ...], word: str) -> str:
    """Name sizes, as in `size 4` or `sizes 4, 8 and 16`."""
    names = [f"{size:,}" for size in sizes]
    if len(names) == 1:
        return f"{word} {names[0]}"
    return f"{word}{'es' if word == 'batch' else 's'} {', '.join(names[:-1])} and {names[-1]}"


def either(names: Sequence[str]) -> str:
    """Name those between whom no difference is shown."""
    if len(names) > 3:
        return f"{names[0]} or {len(names) - 1} others"
    return " or ".join(names)


def lead_words(parts: list[Lead], changes: list[Change], word: str) -> Iterator[str]:
    """Who is fastest over which of the measured sizes, one part after the other."""
    crossings = [None, *(change.crossover for change in changes)]
    for part, crossing in zip(parts, crossings, strict=True):
        first, last = f"{part.smallest:,}", f"{part.largest:,}"
        if part is parts[0]:
            span = f"up to {word} {last}" if first != last else f"at {word} {first}"
        elif part is parts[-1]:
            span = f"from {first} on" if first != last else f"at {first}"
        else:
            span = f"from {first} to {last}" if first != last else f"at {first}"
        place = f" {format_crossover(crossing)}" if crossing else ""
        yield f"{either(part.names)} {span}{place}"
