"""Measure text, and break or cut it to the space available; lengths are in inches."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import cache
from math import cos, radians, sin
from typing import Any
from unicodedata import east_asian_width

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

FONT = "DejaVu Sans"
"""Comes with Matplotlib, and is wider than most fonts that a browser may use instead."""
LINE = 1.25
"""Height of a line, in type sizes."""
_DOTS = "..."
_HINTED = 1.02
"""Small type may be wider by this factor, because its letters are fitted to pixels."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of one line of text; ``size`` is in points."""
    return sum(_letter(letter, bold) for letter in text) * size / 72 * _HINTED


@cache
def _letter(letter: str, bold: bool) -> float:
    """Width of a letter, in type sizes; wide letters may be missing from the font."""
    measure: Any = text_to_path.get_text_width_height_descent
    font = FontProperties(family=FONT, weight="bold" if bold else "normal", size=100)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph ")
        measured = float(measure(letter, font, ismath=False)[0]) / 100
    return max(measured, 1.0 if east_asian_width(letter) in "WF" else 0.0)


def fold(text: str, room: float, size: float, *, bold: bool = False, most: int = 4) -> list[str]:
    """Break text into at most ``most`` lines no wider than ``room``; the rest is cut off."""
    lines: list[str] = []
    line = ""
    for word in re.split(" (?!%)", text):  # 95 % stays together
        joined = f"{line} {word}" if line else word
        if width(joined, size, bold=bold) <= room:
            line = joined
            continue
        lines += [line] if line else []
        *whole, line = _pieces(word, room, size, bold)
        lines += whole
    lines += [line] if line else []
    if len(lines) > most:
        last = _pieces(f"{lines[most - 1]} {lines[most]}", room - width(_DOTS, size), size, bold)[0]
        lines = [*lines[: most - 1], last + _DOTS]
    return lines


def _pieces(word: str, room: float, size: float, bold: bool) -> list[str]:
    """Split a word into pieces that fit; each has at least one letter."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and width(pieces[-1] + letter, size, bold=bold) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def cut(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Cut a name to the space; both ends stay, because either may distinguish it from others."""
    if width(text, size, bold=bold) <= room:
        return text
    half = (room - width(_DOTS, size, bold=bold)) / 2
    head = _pieces(text, half, size, bold)[0]
    tail = _pieces(text[::-1], half, size, bold)[0][::-1]
    return f"{head}{_DOTS}{tail}"


def tilt(labels: Sequence[str], size: float, pitch: float, room: float) -> tuple[int, float]:
    """Degrees by which labels must be turned so that they do not touch, and their height then.

    ``pitch`` is the distance between two labels, ``room`` the space at the left of the first.
    """
    widths = [width(label, size) for label in labels]
    longest = max(widths, default=0.0)
    line = size * LINE / 72
    if longest <= 0.92 * pitch:
        return 0, line
    fits = (text * cos(radians(30)) <= room + i * pitch for i, text in enumerate(widths))
    if line <= sin(radians(30)) * pitch and all(fits):
        return 30, longest * sin(radians(30)) + line
    return 90, longest
