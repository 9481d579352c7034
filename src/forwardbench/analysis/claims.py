"""The claims of the course notes, and what a run says about each. Pure functions on the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forwardbench.analysis.crossovers import Reach, reach
from forwardbench.analysis.evidence import Evidence
from forwardbench.analysis.findings import interval_word, name_setting, settings
from forwardbench.analysis.rows import is_control, is_credible, size_axis, sizes
from forwardbench.analysis.size_findings import reach_words, size_word
from forwardbench.results import HOST
from forwardbench.units import format_interval, format_ratio

LOOPS, VECTORIZED = "python_loops", "matmul"
FRAMEWORKS = ("torch", "tensorflow", "jax")
GPU = {"cuda", "gpu"}
"""Parts of a name that mark an implementation for GPUs, as in `torch_cuda_copies`."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the course notes, and what the run says about it."""

    text: str
    evidence: tuple[str, ...]
    """One sentence for each setting that has something to say about the claim."""


def judge_claims(table: pd.DataFrame, evidence: Evidence) -> list[Claim]:
    """Say what the table shows about each claim."""
    usable = table[is_credible(table) & ~is_control(table)]
    whole = table[~is_control(table)]

    def claim(text: str, look: Callable[[pd.DataFrame], Iterator[str]]) -> Claim:
        sentences = [line for rows in settings(whole) for line in look(rows)]
        return Claim(text, tuple(dict.fromkeys(sentences)) or ("This run does not show it.",))

    return [
        claim(
            "A loop is 10 times slower, for large models",
            lambda rows: _ten_times(rows, evidence),
        ),
        claim(
            "Vectorizing makes networks 10 to 100 times faster",
            lambda rows: _ten_to_hundred(rows, evidence),
        ),
        claim(
            "The work is the same; the vectorized form runs it in parallel and uses caches better",
            lambda rows: _same_work(rows, usable),
        ),
        claim(
            "CPUs and GPUs are built for large matrix multiplications",
            lambda rows: _large_products(rows, evidence),
        ),
        claim(
            "Frameworks (TensorFlow, PyTorch) use the same vectorized operations",
            _frameworks,
        ),
    ]


def _where(rows: pd.DataFrame) -> str:
    return f"{rows['sweep'].iloc[0]}, {name_setting(rows)}"


def _row_of(rows: pd.DataFrame, name: str, case: str) -> pd.Series[Any] | None:
    matches = rows[(rows["implementation"] == name) & (rows["case"] == case) & is_credible(rows)]
    return None if matches.empty else matches.iloc[0]


def _largest_ratio(rows: pd.DataFrame) -> tuple[str, float, str] | None:
    """The largest case, the vectorized code's speedup over the loop there, and its interval."""
    pair = _largest_of(rows, LOOPS, VECTORIZED)
    if pair is None:
        return None
    slow, fast = pair
    if fast["baseline"] == LOOPS and fast["speedup"] == fast["speedup"]:
        interval = format_interval(fast["speedup_low"], fast["speedup_high"])
        return str(fast["case"]), float(fast["speedup"]), interval
    return str(fast["case"]), float(slow["seconds"] / fast["seconds"]), ""


def _largest_of(
    rows: pd.DataFrame, first: str, second: str
) -> tuple[pd.Series[Any], pd.Series[Any]] | None:
    """The rows of two implementations on the largest case on which both were measured."""
    cases = rows.assign(size=sizes(rows)).sort_values("size")["case"].drop_duplicates()
    times = [rows[(rows["implementation"] == name) & is_credible(rows)] for name in (first, second)]
    both = set(times[0]["case"]) & set(times[1]["case"])
    for case in reversed(cases.tolist()):
        if case in both:
            slow, fast = (each[each["case"] == case].iloc[0] for each in times)
            return slow, fast
    return None


def _describe_reach(rows: pd.DataFrame, factor_reach: Reach, factor: int) -> str:
    if factor_reach.kind == "never":
        return f"{factor} times is never reached in this range"
    if factor_reach.kind == "unclear":
        return f"whether {factor} times is passed is not clear"
    return f"{factor} times is passed {reach_words(factor_reach, size_word(rows))}"


def _ten_times(rows: pd.DataFrame, evidence: Evidence) -> Iterator[str]:
    largest = _largest_ratio(rows)
    if largest is None:
        return
    case, ratio, interval = largest
    sure = f" ({interval_word(rows['passes'].max())} {interval})" if interval else ""
    sentence = (
        f"{_where(rows)}: the loop takes {format_ratio(ratio)[:-1]} times as long at {case}{sure}"
    )
    if size_axis(rows):
        sentence += f"; {_describe_reach(rows, reach(rows, evidence, VECTORIZED, LOOPS, 10), 10)}"
        if ratio > 2 * 10:  # far beyond the claim
            sentence += ", so for large models the claim says too little"
    yield f"{sentence}."


def _ten_to_hundred(rows: pd.DataFrame, evidence: Evidence) -> Iterator[str]:
    if not size_axis(rows) or _largest_ratio(rows) is None:
        return
    ten, hundred = (reach(rows, evidence, VECTORIZED, LOOPS, factor) for factor in (10, 100))
    faster = reach(rows, evidence, VECTORIZED, LOOPS)
    sentence = (
        f"{_where(rows)}: {_describe_reach(rows, ten, 10)}; {_describe_reach(rows, hundred, 100)}"
    )
    if faster.kind == "from" and faster.slower:
        sentence += f"; up to {size_word(rows)} {max(faster.slower):,} vectorizing makes it slower"
    yield f"{sentence}."


def _same_work(rows: pd.DataFrame, usable: pd.DataFrame) -> Iterator[str]:
    largest = _largest_ratio(rows)
    if largest is None:
        return
    case, ratio, _ = largest
    both = rows["implementation"].isin([LOOPS, VECTORIZED])
    errors = rows.loc[(rows["case"] == case) & both & is_credible(rows), "error"].dropna()
    if len(errors):
        yield (
            f"{_where(rows)}: both did the same multiply-adds at {case}, with results no further "
            f"than {errors.max():.1g} from the exact ones."
        )
    threads = int(rows["threads"].iloc[0])
    if threads == 1 and ratio <= 1:
        return
    if threads == 1:
        yield (
            f"{_where(rows)}: {format_ratio(ratio)} without a second thread, so what is gained "
            "here comes from the interpreter's absence, SIMD and caches, not from parallel threads."
        )
        return
    fast = _row_of(rows, VECTORIZED, case)
    same = ["workload", "sweep", "dtype", HOST]
    alike = (usable[same] == rows[same].iloc[0]).all(axis=1)
    single = _row_of(usable[alike & (usable["threads"] == 1)], VECTORIZED, case)
    if fast is not None and single is not None:
        gain = format_ratio(single["seconds"] / fast["seconds"])[:-1]
        yield f"{_where(rows)}: {VECTORIZED} is {gain} times as fast as on 1 thread at {case}."


def _large_products(rows: pd.DataFrame, evidence: Evidence) -> Iterator[str]:
    vectorized = rows[(rows["implementation"] == VECTORIZED) & is_credible(rows)]
    if len(vectorized) > 1 and size_axis(rows):
        vectorized = vectorized.assign(size=sizes(vectorized)).sort_values("size")
        first, last = vectorized.iloc[0], vectorized.iloc[-1]
        sentence = (
            f"{_where(rows)}: {VECTORIZED} does {first['gflops']:.2g} GFLOP/s at {first['case']} "
            f"and {last['gflops']:.3g} at {last['case']}"
        )
        peak = evidence.ceilings.get((str(last["dtype"]), int(last["threads"])), (0.0, 0.0))[0]
        if peak:
            sentence += f", {last['gflops'] / peak:.0%} of what this CPU's matrix product reached"
        yield f"{sentence}."
    on_gpu = [str(name) for name in rows["implementation"].drop_duplicates() if _on_gpu(name)]
    for name in on_gpu:
        yield from _against(rows, name)
    if len(vectorized) and not on_gpu:
        yield "No GPU was measured."


def _frameworks(rows: pd.DataFrame) -> Iterator[str]:
    for name in rows["implementation"].drop_duplicates():
        if name.partition("_")[0] in FRAMEWORKS and not _on_gpu(name):
            yield from _against(rows, str(name))


def _on_gpu(name: str) -> bool:
    return not GPU.isdisjoint(name.split("_"))


def _against(rows: pd.DataFrame, name: str) -> Iterator[str]:
    """Compare an implementation with the vectorized one on their largest common case."""
    pair = _largest_of(rows, name, VECTORIZED)
    if pair is not None:
        row, vectorized = pair
        ratio, case = format_ratio(vectorized["seconds"] / row["seconds"])[:-1], row["case"]
        yield f"{_where(rows)}: {name} is {ratio} times as fast as {VECTORIZED} at {case}."
