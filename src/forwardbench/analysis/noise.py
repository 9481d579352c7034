"""How far apart identical code comes out, and which differences are larger than that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.rows import is_control

NO_DIFFERENCE = "no difference shown"


def noise_floor(table: pd.DataFrame) -> float:
    """Return the factor that 95 % of ratios of identical code stay within; NaN without controls.

    Controls show it in two ways: by how far their ratios are from 1, which is their true value,
    and by how wide the intervals of these ratios are. The larger counts. Few controls say little
    in the first way alone, so the passes behind them count as degrees of freedom too.
    """
    controls = _squared_controls(table)
    if controls.empty:
        return float("nan")
    return float(_floor_of(controls.mean(), len(controls) + controls["freedom"].sum()))


def _squared_controls(table: pd.DataFrame) -> pd.DataFrame:
    """Squared logarithms of each control's ratio and half-width, and its passes less one."""
    controls = table[is_control(table) & table["speedup"].notna()]
    speedup = controls["speedup"].to_numpy(float)
    half_widths = np.log(controls["speedup_high"].to_numpy(float) / speedup)
    squares = {"off": np.log(speedup) ** 2, "unsure": half_widths**2}
    return pd.DataFrame({**squares, "freedom": controls["passes"] - 1}, controls.index)


def _floor_of(means: Any, freedom: Any) -> Any:
    """The factor from mean squares and degrees of freedom: of one group, or of many at once."""
    from scipy.special import stdtrit

    apart = stdtrit(freedom, 0.975) * np.sqrt(means["off"])
    return np.exp(np.fmax(apart, np.sqrt(means["unsure"])))  # whose half-widths may be unknown


def noise_floors(table: pd.DataFrame) -> pd.Series[float]:
    """The factor inside which each row's ratio is noise; 1 where no control says more.

    It is that of the row's setting, or that of its own case if that is larger, since large
    cases are timed less often.
    """
    controls = _squared_controls(table)
    floors = pd.Series(1.0, table.index)
    for keys in (SETTING, [*SETTING, "case", "activation"]):
        groups = controls.groupby([table.loc[controls.index, key] for key in keys], sort=False)
        freedom = groups.size() + groups["freedom"].sum()
        known = dict(zip(freedom.index, _floor_of(groups.mean(), freedom), strict=True))
        own = zip(*(table[key] for key in keys), strict=True)
        floors = floors.clip(lower=pd.Series([known.get(key, 1.0) for key in own], table.index))
    return floors


def verdicts(table: pd.DataFrame) -> pd.Series[str]:
    """Say of each row's speedup: faster, slower, or `NO_DIFFERENCE`; empty where none is known.

    A difference is shown only if the interval excludes 1 and the speedup lies outside the
    noise floor, where ratios of identical code lie as well.
    """
    speedup = table["speedup"]
    around_one = (table["speedup_low"] <= 1) & (table["speedup_high"] >= 1)
    in_noise = np.abs(np.log(speedup.astype(float))) <= np.log(noise_floors(table))
    words = np.select(
        [
            table["speedup_low"].isna() | (table["implementation"] == table["baseline"]),
            around_one | in_noise,
            speedup > 1,
        ],
        ["", NO_DIFFERENCE, "faster"],
        "slower",
    )
    return pd.Series(words, table.index)
