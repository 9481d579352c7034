"""Matplotlib's SVG as parts of a page: a picture for each panel, for a script to ask and switch."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from forwardbench.charts.chart import PANEL, SERIES, Chart
from forwardbench.charts.view import LIGHT

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_POINTS_AN_INCH = 72
ET.register_namespace("", _SVG)

_VARIABLES = {
    LIGHT.background: "--background",
    LIGHT.text: "--text",
    LIGHT.muted: "--muted",
    LIGHT.grid: "--grid",
    LIGHT.baseline: "--baseline",
    **{colour: f"--series-{number}" for number, colour in enumerate(LIGHT.series)},
}
"""The light theme's colours and the style sheet's names for them, which change in the dark."""


@dataclass(frozen=True)
class Picture:
    """The panels of a chart as markup that is safe to put into a page."""

    definitions: Markup
    """Marks and clips that all panels use; apart, so that a hidden panel hides none of them."""
    panels: tuple[Markup, ...]


def embed(chart: Chart, prefix: str, series: Sequence[str]) -> Picture:
    """Cut a chart into its panels, with identifiers of its own and a target for every mark.

    ``series`` are the names that the page numbers; ``prefix`` is unique on the page.
    """
    root = ET.fromstring(chart.svg)  # noqa: S314 (written by Matplotlib a moment ago)
    definitions = _take_definitions(root)
    numbers = {name: number for number, name in enumerate(series)}
    for element in [definitions, *root.iter()]:
        for each in element.iter() if element is definitions else [element]:
            _adapt(each, prefix, numbers)
    groups = {
        element.get("data-panel"): element for element in root.iter() if element.get("data-panel")
    }
    height = chart.get_figheight() * _POINTS_AN_INCH
    panels = []
    for number, (axes, box) in enumerate(chart.panels):
        if not axes.get_visible():
            continue
        left, top = box.x0 * _POINTS_AN_INCH, height - box.y1 * _POINTS_AN_INCH
        view = f"{left:.1f} {top:.1f} {box.width * _POINTS_AN_INCH:.1f} {box.height * 72:.1f}"
        panel = ET.Element(
            f"{{{_SVG}}}svg",
            {"viewBox": view, "role": "group", "class": "panel", "aria-label": _name(axes)},
        )
        panel.append(groups[str(number)])
        panel.extend(_targets(chart, number, numbers))
        panels.append(Markup(ET.tostring(panel, encoding="unicode")))  # noqa: S704 (escaped by ET)
    return Picture(Markup(ET.tostring(definitions, encoding="unicode")), tuple(panels))  # noqa: S704


def _name(axes: object) -> str:
    title = getattr(axes, "get_title")("left")  # noqa: B009 (Axes, which is not imported for this)
    return f"Panel: {title}" if title else "Panel of values"


def _take_definitions(root: ET.Element) -> ET.Element:
    """Move what is only referred to out of the picture, into one element."""
    definitions = ET.Element(
        f"{{{_SVG}}}svg",
        {"width": "0", "height": "0", "class": "definitions", "aria-hidden": "true"},
    )
    kept = ET.SubElement(definitions, f"{{{_SVG}}}defs")
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}defs":
                parent.remove(child)
                kept.extend(each for each in child if each.tag != f"{{{_SVG}}}style")
    return definitions


def _adapt(element: ET.Element, prefix: str, numbers: Mapping[str, int]) -> None:
    """Give one element identifiers of its own, the series it belongs to, and themed colours."""
    name = element.attrib.pop("id", None)
    if name is not None:
        if name.startswith(SERIES):
            element.set("data-series", str(numbers.get(name.removeprefix(SERIES), -1)))
        elif name.startswith(PANEL):
            element.set("data-panel", name.removeprefix(PANEL))
        elif not re.fullmatch(r"[A-Za-z0-9]+_\d+", name):  # groups that nothing refers to
            element.set("id", f"{prefix}-{name}")
    reference = element.attrib.pop(_HREF, None)
    if reference is not None:
        element.set("href", f"#{prefix}-{reference.removeprefix('#')}")
    for attribute in ("d", "x", "y", "transform"):  # a hundredth of a point is enough
        value = element.get(attribute)
        if value is not None:
            element.set(attribute, re.sub(r"(\.\d\d)\d+", r"\1", value))
    style = element.get("style", "")
    if element.tag == f"{{{_SVG}}}use" and "fill" not in style:  # black, which is left out
        element.set("style", f"fill: {LIGHT.baseline}; {style}")
    for attribute in ("clip-path", "style", "fill", "stroke"):
        value = element.get(attribute)
        if value is not None:
            value = value.replace("url(#", f"url(#{prefix}-")
            element.set(attribute, re.sub(r"#[0-9A-Fa-f]{6}\b", _themed, value))


def _themed(match: re.Match[str]) -> str:
    colour = match[0].upper()
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else match[0]


def _targets(chart: Chart, panel: int, numbers: Mapping[str, int]) -> list[ET.Element]:
    """An invisible circle over each mark of a panel, which says what the mark shows."""
    axes = chart.panels[panel][0]
    height = chart.get_figheight() * _POINTS_AN_INCH
    targets: list[ET.Element] = []
    for point in chart.points:
        if point.axes is not axes:
            continue
        x, y = axes.transData.transform((point.x, point.y)) / chart.dpi * _POINTS_AN_INCH
        targets.append(
            ET.Element(
                f"{{{_SVG}}}circle",
                {
                    "class": "point",
                    "cx": f"{x:.1f}",
                    "cy": f"{height - y:.1f}",
                    "r": "7",
                    "role": "img",
                    "tabindex": "-1" if targets else "0",
                    "aria-label": point.text,
                    "data-series": str(numbers.get(point.series, -1)),
                },
            )
        )
    return targets
