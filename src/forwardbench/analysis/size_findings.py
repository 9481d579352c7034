"""Describe sizes in sentences: measured sizes, and where the lines between them cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from forwardbench.analysis.crossovers import Change, Crossover, Lead, Reach
from forwardbench.analysis.rows import size_axis


def size_word(rows: pd.DataFrame) -> str:
    """Name the sizes of a sweep: widths, or batches of one network, or else sizes."""
    if size_axis(rows) == "inputs":
        return "width"
    return "batch" if rows["widths"].nunique() == 1 else "size"


def format_crossover(crossover: Crossover) -> str:
    """Write where the lines of two series cross, as in `(crossing 3.1, 2.9 to 3.4)`."""
    size, low, high, _ = crossover
    interval = f", {format_size(low)} to {format_size(high)}" if low == low else ""
    return f"(crossing {format_size(size)}{interval})"


def format_size(size: float, digits: int = 3) -> str:
    """Write a size that may lie between measured ones, as in `3.26` or `12,300`."""
    rounded = float(f"{size:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def reach_words(reach: Reach, word: str = "size") -> str:
    """Say over which sizes something holds; ``word`` is what a size is called."""
    span = f"{reach.sizes[0]:,} to {reach.sizes[-1]:,}" if reach.sizes else "no size in common"
    if reach.kind == "always":
        return f"at every {word} ({span})"
    if reach.kind == "never":
        return f"never in this range ({span})"
    if reach.kind == "unclear":
        return f"no difference shown ({span})"
    if reach.crossover is None:
        return f"at {_list(reach.shown, word)}, and at no other {word} measured ({span})"
    crossing = format_crossover(reach.crossover)
    if reach.kind == "from":
        return f"from {word} {reach.shown[0]:,} on {crossing}"
    return f"up to {word} {reach.shown[-1]:,} {crossing}"


def _list(sizes: tuple[int, ...], word: str) -> str:
    """Name sizes, as in `size 4` or `sizes 4, 8 and 16`."""
    names = [f"{size:,}" for size in sizes]
    if len(names) == 1:
        return f"{word} {names[0]}"
    return f"{word}{'es' if word == 'batch' else 's'} {', '.join(names[:-1])} and {names[-1]}"


def join_tied_names(names: Sequence[str]) -> str:
    """Join the names of implementations between which no difference is shown."""
    if len(names) > 3:
        return f"{names[0]} or {len(names) - 1} others"
    return " or ".join(names)


def lead_words(parts: list[Lead], changes: list[Change], word: str) -> Iterator[str]:
    """Say which implementations are fastest over which measured sizes, part by part."""
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
        yield f"{join_tied_names(part.names)} {span}{place}"
