"""What the charts by size have in common: series over sizes, in the look of their status."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forwardbench.analysis import crossovers, is_control, size_axis, sizes
from forwardbench.cases import SWEEPS
from forwardbench.charts import style
from forwardbench.charts.style import MUTED, Look, label_ends
from forwardbench.findings import finding, noise_sentence, troubles
from forwardbench.units import format_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def positions(table: pd.DataFrame) -> pd.Series[float]:
    """Where each row stands along the axis of sizes: its size, or its rank by work."""
    values = sizes(table)
    if size_axis(str(table["sweep"].iloc[0])):
        return values.astype(float)
    # Unrelated cases stand side by side; two of equal work keep places of their own.
    named = pd.DataFrame({"work": values, "case": table["case"] + table["activation"]})
    order = named.drop_duplicates("case").sort_values(["work", "case"])["case"].tolist()
    return named["case"].map({case: float(rank) for rank, case in enumerate(order)})


def draw_series(
    axes: Axes, table: pd.DataFrame, looks: dict[str, Look], column: str, guesses: pd.DataFrame
) -> None:
    """Draw ``column`` with its interval over sizes, for the implementations in ``looks``.

    Measured values are filled and joined; ``guesses`` (columns guess, guess_low, guess_high;
    NaN where there is none) are hollow and dotted; cells without either get a cross in the
    gutter below the axis' top.
    """
    table = table.join(guesses).assign(x=positions(table))
    connect = bool(size_axis(str(table["sweep"].iloc[0])))
    ends = {}
    for number, (name, look) in enumerate(looks.items()):
        rows = table[table["implementation"] == name].sort_values("x")
        if not connect:  # unrelated cases: points side by side, not one on the other
            rows["x"] += 0.09 * (number - (len(looks) - 1) / 2)
        known, guessed = rows[rows[column].notna()], rows[rows["guess"].notna()]
        _draw_measured(axes, known, column, look, connect)
        if len(guessed):
            bridge = pd.concat([known.tail(1).assign(guess=known[column].tail(1)), guessed])
            bridge = bridge.sort_values("x") if connect else guessed
            axes.plot(
                bridge["x"], bridge["guess"], ":" if connect else "", color=look.colour, lw=1.2
            )
            whiskers = _whiskers(guessed, "guess")
            bars = axes.errorbar(
                guessed["x"], guessed["guess"], whiskers, fmt=look.marker, color=look.colour,
                mfc="white", ms=5.5, elinewidth=0.8, capsize=2.5,
            )  # fmt: skip
            for stem in bars[2]:
                stem.set_linestyle(":")
        absent = rows[rows[column].isna() & rows["guess"].isna()]
        gutter = axes.get_xaxis_transform()
        axes.plot(
            absent["x"], [0.985] * len(absent), "x", color=look.colour, ms=5, transform=gutter
        )
        drawn = pd.concat(
            [known[["x", column]], guessed[["x", "guess"]].set_axis(["x", column], axis=1)]
        )
        if len(drawn):
            last = drawn.sort_values("x").iloc[-1]
            ends[name] = (float(last["x"]), float(last[column]))
    label_ends(axes, ends, looks)


def _draw_measured(axes: Axes, rows: pd.DataFrame, column: str, look: Look, connect: bool) -> None:
    """Draw filled marks with whiskers; along an axis also a line in a band."""
    x, y, whiskers = rows["x"], rows[column], _whiskers(rows, column)
    if connect:
        axes.fill_between(x, y - whiskers[0], y + whiskers[1], color=look.colour, alpha=0.2, lw=0)
        axes.plot(x, y, linestyle=look.dash, color=look.colour, lw=1.5)
    axes.errorbar(
        x, y, whiskers, fmt=look.marker, color=look.colour, ms=5, elinewidth=1, capsize=2.5
    )


def _whiskers(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Lengths of the interval below and above, shape (2, rows); 0 where it is not known."""
    low = rows[column] - rows[f"{column}_low"]
    high = rows[f"{column}_high"] - rows[column]
    return np.stack([low.fillna(0), high.fillna(0)])


def draw_panels(
    table: pd.DataFrame,
    column: str,
    guesses: pd.DataFrame,
    label: str,
    number: Callable[[float], str],
    hollow: str,
    decorate: Callable[[Axes, pd.DataFrame], None],
) -> Figure:
    """Draw ``column`` by size for every series, in small multiples, on a log scale.

    ``number`` writes a value on the axis, ``hollow`` says what a hollow mark is, and
    ``decorate`` adds to a panel what only one chart has.
    """
    shares = style.panels(table)
    figure, all_axes = style.make_figure(len(shares))
    legend = _explain(table, column, guesses, hollow)
    notes = [*troubles(table), legend, noise_sentence(table), style.caption(table)]
    style.write_around(figure, finding(table), _setting(table), notes)
    for axes, looks in zip(all_axes, shares, strict=True):
        axes.set_yscale("log")
        style.set_size_axis(axes, table, positions(table))
        shown = table["implementation"].isin(list(looks))
        axes.set_ylim(*_span(table, column, guesses))
        axes.yaxis.set_major_formatter(lambda value, _: format_tick(value, number))
        axes.yaxis.minorticks_off()
        decorate(axes, table[shown])
        draw_series(axes, table[shown], looks, column, guesses[shown])
    all_axes[0].set_ylabel(label)
    return figure


def ring_crossovers(axes: Axes, table: pd.DataFrame, height: Callable[[float], float]) -> None:
    """Ring the sizes at which a series overtakes the baseline; ``height`` is where it runs."""
    known = table[table["speedup"].notna()]
    if known.empty:
        return
    ranked = known.assign(size=sizes(known)).sort_values(["size", "speedup"], ascending=False)
    ringed: list[float] = []
    for name in ranked["implementation"].drop_duplicates():  # first the one in the title
        for size in crossovers(table, name):
            if any(abs(np.log(size / other)) < 0.3 for other in ringed):
                continue  # two series that cross at one place need one ring
            ringed.append(size)
            axes.plot([size], [height(size)], "o", mfc="none", mec=MUTED, ms=11, zorder=5)
            axes.annotate(
                f"{size:.2g}", (size, height(size)), xytext=(7, -11), size=8, color=MUTED,
                textcoords="offset points",
            )  # fmt: skip


def _span(table: pd.DataFrame, column: str, guesses: pd.DataFrame) -> tuple[float, float]:
    """Limits of the value axis, with room above for the gutter."""
    every = table[~is_control(table)]
    values = [every[name] for name in (column, f"{column}_low", f"{column}_high")]
    known = pd.concat([*values, *(guesses[name] for name in guesses)]).dropna()
    low, high = (known.min(), known.max()) if len(known) else (1.0, 1.0)
    reach = max(high / low, 4.0)
    return low / reach**0.05, high * reach**0.09


def _explain(table: pd.DataFrame, column: str, guesses: pd.DataFrame, hollow: str) -> str:
    """Say what each kind of mark means, for the kinds that are there."""
    timed = table.groupby("implementation")["seconds"].transform("count") > 0
    shown = table[~is_control(table) & timed]
    kinds = ["filled: measured, with its 95 % interval over passes"]
    if guesses["guess"].notna().any():
        kinds.append(f"hollow and dotted: {hollow}")
    if (shown[column].isna() & guesses.loc[shown.index, "guess"].isna()).any():
        kinds.append("cross at the top: not measured")
    return "; ".join(kinds)


def _setting(table: pd.DataFrame) -> str:
    """Name the sweep and what is constant over it."""
    name = str(table["sweep"].iloc[0])
    summary = SWEEPS[name].summary if name in SWEEPS else "cases given one by one"
    activations = " and ".join(table["activation"].unique())
    return f"{name}: {summary}; {activations}"
