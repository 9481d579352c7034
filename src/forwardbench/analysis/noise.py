"""The noise floor, and which differences are larger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forwardbench.analysis.columns import SETTING
from forwardbench.analysis.rows import is_control

NO_DIFFERENCE = "no difference shown"


def noise_floor(table: pd.DataFrame) -> float:
    """Return the factor that 95 % of ratios of identical code stay within; NaN without controls.

    Controls show it in two ways: by how far their ratios are from 1, which is the true value,
    and by how wide the intervals of these ratios are. The larger of the two is returned. A few
    controls would give the first one few degrees of freedom, so their passes are counted too.
    """
    controls = _squared_controls(table)
    if controls.empty:
        return float("nan")
    return float(_floor_of(controls.mean(), len(controls) + controls["degrees_of_freedom"].sum()))


def _squared_controls(table: pd.DataFrame) -> pd.DataFrame:
    """Squared logarithms of each control's ratio and half-width, and its degrees of freedom."""
    controls = table[is_control(table) & table["speedup"].notna()]
    speedup = controls["speedup"].to_numpy(float)
    half_widths = np.log(controls["speedup_high"].to_numpy(float) / speedup)
    squares = {"ratio": np.log(speedup) ** 2, "half_width": half_widths**2}
    freedom = controls["passes"] - 1
    return pd.DataFrame({**squares, "degrees_of_freedom": freedom}, controls.index)


def _floor_of(means: Any, degrees_of_freedom: Any) -> Any:
    """The noise floor from mean squares and degrees of freedom, for one group or for many."""
    from scipy.special import stdtrit

    from_ratios = stdtrit(degrees_of_freedom, 0.975) * np.sqrt(means["ratio"])
    from_half_widths = np.sqrt(means["half_width"])  # NaN where unknown, which fmax leaves out
    return np.exp(np.fmax(from_ratios, from_half_widths))


def noise_floors(table: pd.DataFrame) -> pd.Series[float]:
    """The noise floor of each row, as a factor; 1 where there are no controls.

    It is the floor of the row's setting, or the floor of its own case if that is larger: large
    cases are timed less often.
    """
    controls = _squared_controls(table)
    floors = pd.Series(1.0, table.index)
    for keys in (SETTING, [*SETTING, "case", "activation"]):
        groups = controls.groupby([table.loc[controls.index, key] for key in keys], sort=False)
        freedom = groups.size() + groups["degrees_of_freedom"].sum()
        known = dict(zip(freedom.index, _floor_of(groups.mean(), freedom), strict=True))
        row_keys = zip(*(table[key].tolist() for key in keys), strict=True)
        lower = pd.Series([known.get(row_key, 1.0) for row_key in row_keys], table.index)
        floors = floors.clip(lower=lower)
    return floors


def verdicts(table: pd.DataFrame) -> pd.Series[str]:
    """Say of each row's speedup: faster, slower, or `NO_DIFFERENCE`; empty where none is known.

    A difference is shown only if the interval excludes 1 and the speedup lies outside the
    noise floor.
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
