"""Turn Matplotlib's SVG into parts of a page: one picture for each panel, for the page's script."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from forwardbench.outputs.charts.drawing.figure import PANEL, SERIES, Chart
from forwardbench.outputs.charts.drawing.view import LIGHT

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
"""The style sheet's variables for the light theme's colours; the dark theme changes them."""


class Styles:
    """The styles of the page's pictures as classes, because styles repeat thousands of times."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, style: str) -> str:
        """The class of a style."""
        return self._names.setdefault(style, f"s{len(self._names)}")

    @property
    def sheet(self) -> str:
        """All styles as a style sheet."""
        return "\n".join(f".{name} {{ {style} }}" for style, name in self._names.items())


_COLOUR = r"#[0-9A-Fa-f]{6}\b"


@dataclass(frozen=True)
class Picture:
    """The panels of a chart as markup that is safe to put into a page."""

    definitions: Markup
    """Marks and clips that all panels use, kept outside of them because panels can be hidden."""
    panels: tuple[Markup, ...]


def embed(chart: Chart, prefix: str, series: Sequence[str], styles: Styles) -> Picture:
    """Cut a chart into its panels, with unique identifiers and a target for every mark.

    ``series`` are the names that the page refers to by index, ``prefix`` is unique on the page,
    and ``styles`` collects the styles for the page's style sheet.
    """
    root = ET.fromstring(chart.svg)  # noqa: S314 (written by Matplotlib a moment ago)
    numbers = {name: number for number, name in enumerate(series)}
    adapt = _Adapter(prefix, numbers, styles)
    for element in root.iter():
        adapt(element)
    definitions = _take_definitions(root)
    groups = {element.get("data-panel"): element for element in root.iter()}
    panels = [
        _cut_out(chart, number, groups[str(number)], numbers)
        for number, (axes, _) in enumerate(chart.panels)
        if axes.get_visible()
    ]
    return Picture(_as_markup(definitions), tuple(panels))


def _as_markup(element: ET.Element) -> Markup:
    return Markup(ET.tostring(element, encoding="unicode"))  # noqa: S704 (escaped by ElementTree)


def _cut_out(chart: Chart, number: int, group: ET.Element, numbers: Mapping[str, int]) -> Markup:
    """One panel, with the space around it, as a separate picture."""
    axes, box = chart.panels[number]
    height = chart.get_figheight()
    corner = (box.x0, height - box.y1, box.width, box.height)
    heading = axes.get_title("left")
    panel = ET.Element(
        f"{{{_SVG}}}svg",
        {
            "viewBox": " ".join(f"{inches * _POINTS_AN_INCH:.1f}" for inches in corner),
            "preserveAspectRatio": "xMinYMin meet",
            "role": "group",
            "class": "panel",
            "aria-label": f"Panel: {heading}" if heading else "Panel of values",
        },
    )
    panel.append(group)
    panel.extend(_targets(chart, number, numbers))
    return _as_markup(panel)


def _take_definitions(root: ET.Element) -> ET.Element:
    """Move everything that is only referred to out of the picture into one element."""
    hidden = {"width": "0", "height": "0", "class": "definitions", "aria-hidden": "true"}
    definitions = ET.Element(f"{{{_SVG}}}svg", hidden)
    kept = ET.SubElement(definitions, f"{{{_SVG}}}defs")
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}defs":
                parent.remove(child)
                kept.extend(item for item in child if item.tag != f"{{{_SVG}}}style")
    return definitions


class _Adapter:
    """Adapts the elements of a chart to the page: identifiers, series, colours, and less text."""

    def __init__(self, prefix: str, numbers: Mapping[str, int], styles: Styles) -> None:
        self._prefix, self._numbers, self._styles = prefix, numbers, styles
        self._identifiers: dict[str, str] = {}

    def __call__(self, element: ET.Element) -> None:
        self._name(element)
        self._refer(element)
        self._paint(element)
        for attribute in ("d", "x", "y", "transform"):  # a hundredth of a point is enough
            value = element.get(attribute)
            if value is not None:
                element.set(attribute, re.sub(r"(\.\d\d)\d+|\n", r"\1", value))
        element.tail = None
        if element.text and not element.text.strip():
            element.text = None

    def _identify(self, name: str) -> str:
        number = len(self._identifiers)
        return self._identifiers.setdefault(name, f"{self._prefix}-{number}")

    def _name(self, element: ET.Element) -> None:
        """Mark elements of a series, and panels; other groups need no identifier."""
        name = element.attrib.pop("id", "")
        if name.startswith(SERIES):
            element.set("data-series", str(self._numbers.get(name.removeprefix(SERIES), -1)))
        elif name.startswith(PANEL):
            element.set("data-panel", name.removeprefix(PANEL))
        elif name and not re.fullmatch(r"[A-Za-z0-9]+_\d+", name):
            element.set("id", self._identify(name))

    def _refer(self, element: ET.Element) -> None:
        """Change references to the identifiers of this page."""
        reference = element.attrib.pop(_HREF, None)
        if reference is not None:
            element.set("href", f"#{self._identify(reference.removeprefix('#'))}")
        clip = element.get("clip-path")
        if clip is not None:
            element.set("clip-path", f"url(#{self._identify(clip[5:-1])})")

    def _paint(self, element: ET.Element) -> None:
        """Replace colours by variables, and a style by a class."""
        style = re.sub(r"[\w-]+:\s*(;|$)", "", element.attrib.pop("style", ""))  # drop empty ones
        if element.tag == f"{{{_SVG}}}use" and "fill" not in style:  # Matplotlib omits black
            style = f"fill: {LIGHT.baseline}; {style}"
        if style:
            element.set("class", self._styles.name(re.sub(_COLOUR, _themed, style)))
        for attribute in ("fill", "stroke"):
            value = element.get(attribute)
            if value is not None:
                element.set(attribute, re.sub(_COLOUR, _themed, value))


def _themed(match: re.Match[str]) -> str:
    colour = match[0].upper()
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else match[0]


def _targets(chart: Chart, panel: int, numbers: Mapping[str, int]) -> list[ET.Element]:
    """An invisible circle over each mark of a panel, with the value of the mark."""
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
