"""The view of a chart: its horizontal axis, its scale and its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

AXES = ("size", "batch", "multiply-adds")
"""Choices for the horizontal axis; `size` is whatever grows along the sweep."""


@dataclass(frozen=True)
class Theme:
    """Colours, as hexadecimal numbers."""

    background: str
    text: str
    muted: str
    grid: str
    baseline: str
    series: tuple[str, str, str, str]

    @property
    def rc(self) -> Any:
        """Matplotlib's settings."""
        return {
            "figure.facecolor": self.background,
            "savefig.facecolor": self.background,
            "axes.facecolor": self.background,
            "text.color": self.text,
            "axes.labelcolor": self.text,
            "axes.edgecolor": self.muted,
            "grid.color": self.grid,
            "xtick.color": self.text,
            "ytick.color": self.text,
            "hatch.color": self.grid,
        }


# The colours of Okabe and Ito (2008), which people with any common colour blindness can tell
# apart. The dark theme has their lighter colours and lightened versions of the others.
LIGHT = Theme(
    "#FFFFFF", "#222222", "#666666", "#DDDDDD", "#000000",
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
)  # fmt: skip
DARK = Theme(
    "#1A1C20", "#ECECEC", "#A0A4AA", "#3A3D42", "#FFFFFF",
    ("#56B4E9", "#E69F00", "#33C798", "#E79BC6"),
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """The options that apply to every chart."""

    x: str = "size"
    """One of `AXES`."""
    theme: Theme = LIGHT
    linear: bool = False
    """Whether values are on a linear scale; the page offers both."""
