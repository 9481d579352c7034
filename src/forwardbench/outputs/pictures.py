"""Draw the charts of a bundle, as the catalogue lists them, and save them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from forwardbench.analysis.rows import size_axis
from forwardbench.files import write_whole
from forwardbench.outputs.at_once import at_once
from forwardbench.outputs.bundle import PARTS, Bundle
from forwardbench.outputs.catalogue import Entry, chart_entries
from forwardbench.outputs.charts.drawing import settings
from forwardbench.outputs.charts.drawing.figure import Chart
from forwardbench.outputs.charts.drawing.style import RC
from forwardbench.outputs.charts.drawing.view import DARK, View

FORMATS = ("svg", "png", "pdf")


_Job = tuple[Entry, Any, View]


class Drawn(NamedTuple):
    """A chart of one part of a bundle."""

    entry: Entry
    part: Any
    """The data that it shows: a part that `outputs.bundle.PARTS` yields."""
    chart: Chart
    alternative: str
    """The alternative text, for people who cannot see the chart."""
    view: View


def draw(entry: Entry, part: Any, view: View | None = None) -> Drawn:
    """Draw one chart, in the suite's style."""
    view = view or View()
    if entry.declared.get("OWN_AXIS"):
        view = View(theme=view.theme)
    module = entry.load()
    with settings({**RC, **view.theme.rc}):
        chart: Chart = module.draw(part, view)
    return Drawn(entry, part, chart, module.describe(part, chart.title), view)


def draw_all(
    bundle: Bundle, kinds: Sequence[str] = (), view: View | None = None
) -> Iterator[Drawn]:
    """Draw every chart of the catalogue that the bundle has parts for, or only some kinds.

    Charts come part by part, and within each part in teaching order.
    """
    for entry, part in _entries_and_parts(bundle, kinds):
        yield draw(entry, part, view)


def _entries_and_parts(bundle: Bundle, kinds: Sequence[str]) -> Iterator[tuple[Entry, Any]]:
    chosen = [entry for entry in chart_entries() if not kinds or entry.name in kinds]
    for need in dict.fromkeys(entry.needs for entry in chosen):
        for part in PARTS[need](bundle):
            for entry in chosen:
                if entry.needs == need:
                    yield entry, part


def pictures_of(bundle: Bundle) -> list[Drawn]:
    """Every chart of a bundle in the default view, drawn once."""
    return [drawn for drawn, _ in _pairs_of(bundle)]


def linear_picture_of(bundle: Bundle, drawn: Drawn) -> Drawn | None:
    """A chart of `pictures_of` with a linear axis of sizes; None if it has no such view."""
    return next(linear for original, linear in _pairs_of(bundle) if original is drawn)


def _pairs_of(bundle: Bundle) -> list[tuple[Drawn, Drawn | None]]:
    """Every chart, and the same with a linear axis where that makes sense."""
    return bundle.keep("pictures", lambda: _draw_pairs(bundle))


def _draw_pairs(bundle: Bundle) -> list[tuple[Drawn, Drawn | None]]:
    jobs: list[_Job] = []
    for entry, part in _entries_and_parts(bundle, ()):
        jobs.append((entry, part, View()))
        if entry.declared.get("LINEAR") and size_axis(part.table):
            jobs.append((entry, part, View(linear=True)))
    pairs: list[tuple[Drawn, Drawn | None]] = []
    for (entry, part, view), (chart, alternative) in zip(
        jobs, at_once(_draw_completely, jobs), strict=True
    ):
        drawn = Drawn(entry, part, chart, alternative, view)
        if view.linear:
            pairs[-1] = pairs[-1][0], drawn
        else:
            pairs.append((drawn, None))
    return pairs


def _draw_completely(job: _Job) -> tuple[Chart, str]:
    """Draw a chart, with its SVG, which takes as long; also returns the alternative text."""
    drawn = draw(*job)
    drawn.chart.svg  # noqa: B018 (it is kept)
    return drawn.chart, drawn.alternative


def save_all(
    pictures: Sequence[Drawn], folder: Path, formats: Sequence[str] = ("svg", "png")
) -> list[Path]:
    """Write several charts in each format, at once, and return the files in their order."""
    files = at_once(lambda drawn: list(save(drawn, folder, formats)), pictures)
    return [file for files_of_chart in files for file in files_of_chart]


def save(drawn: Drawn, folder: Path, formats: Sequence[str] = ("svg", "png")) -> Iterator[Path]:
    """Write a chart, with its alternative text inside, in each format, and yield the files."""
    suffix = "" if drawn.view.x == "size" else f"-by-{drawn.view.x}"
    suffix += "-dark" if drawn.view.theme is DARK else ""
    folder.mkdir(parents=True, exist_ok=True)
    for extension in formats:
        name = f"{drawn.entry.name}-{_file_name(drawn.part.name)}{suffix}.{extension}"
        path = folder / name
        if extension == "svg":
            write_whole(path, _name_for_screen_readers(drawn.chart.svg, drawn.alternative))
        else:
            image = io.BytesIO()
            with settings(RC):
                options = _options(extension, drawn.alternative)
                drawn.chart.savefig(image, format=extension, **options)
            write_whole(path, image.getvalue())
        yield path


def _file_name(part: str) -> str:
    """A file name for a part, whose name may come from a file and hold any characters."""
    plain = "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in part)[:60]
    return plain if plain == part else f"{plain}-{zlib.crc32(part.encode()):08x}"


def _options(extension: str, alternative: str) -> dict[str, Any]:
    """Options by which the same chart becomes the same bytes, for each format."""
    if extension == "pdf":
        return {"metadata": {"CreationDate": None, "Subject": alternative}}
    # Low compression needs a third of the time and makes files 5 % larger.
    return {
        "dpi": 200,
        "metadata": {"Description": alternative},
        "pil_kwargs": {"compress_level": 2},
    }


def _name_for_screen_readers(svg: str, alternative: str) -> str:
    """Give an SVG the role of an image and its alternative text as a title."""
    head, tag, rest = svg.partition("<svg ")
    attributes, end, body = rest.partition(">")
    return f'{head}{tag}role="img" {attributes}{end}\n <title>{escape(alternative)}</title>{body}'
