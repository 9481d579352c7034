"""The report as a file: one page, everything in it, nothing from outside, every text escaped."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from builders import run_folders
from builders.places import REFERENCE
from builders.tables import MEASURED_LADDER, Times
from forwardbench.analysis.columns import COLUMNS
from forwardbench.commands.main import main
from forwardbench.outputs import bundle, report

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "a & b 'c' $x^2$ \u202ertl",
]


@pytest.fixture
def make_page(make_bundle):
    """Make the page of a run written with `write_run`."""

    def make(times, warnings=(), **options):
        whole = make_bundle(times, **options)
        whole.warnings = warnings
        return report.make_page(whole)

    return make


@pytest.fixture(scope="module")
def page_of_ladder(tmp_path_factory):
    """The page of the ladder's run, for all tests that only read it."""
    return page_of(tmp_path_factory.mktemp("ladder") / "run", MEASURED_LADDER)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    """The tags of a page whose names are plain, with a time, a failure and a warning."""
    times: Times = {
        "python_loops": {"4x4-4": [1.0, 1.0]},
        "plain": {"4x4-4": [0.5, 0.5]},
        "broken": {"4x4-4": ["ValueError: plain", None]},
    }
    page = page_of(tmp_path_factory.mktemp("harmless") / "run", times, ["Busy: plain"])
    return {tag for tag, _ in Tags(page).tags}


def page_of(folder, times, warnings=()):
    """The page of a run written into a folder."""
    whole = bundle.load(run_folders.write_run(folder, times))
    whole.warnings = warnings
    return report.make_page(whole)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of the page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Keep a tag."""
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        """Keep a text."""
        self.text.append(data)


def test_the_page_has_everything_in_teaching_order(make_page, ladder):
    """Finding, machine, charts, reading, claims, table, what was left out, data."""
    skipped = {("ndarray_loops", "256x256-256"): (None, None, None)}
    text = " ".join(Tags(make_page(ladder, ["Busy: end them"], skipped=skipped)).text)
    marks = [
        "matmul is 498 times faster than python_loops at 256x256-256 (95 % interval",
        "Busy: end them",
        "Made-up CPU, 2 CPUs",
        "Which is fastest, from which size?",
        "How much faster?",
        "Why: interpreter, dispatch or compute?",
        "Everything at a glance",
        "How sure?",
        "From which size on",
        "How to read this",
        "What the course notes claim",
        "A loop is 10 times slower, for large models",
        "Every cell",
        "What was left out, and why",
        "ndarray_loops skipped 256x256-256 (float64) predicted 9 s a call, over the limit of 1 s",
        "table.csv",
    ]
    body = " ".join(text.split()).split("forwardbench: how much faster", 1)[1]
    places = [body.find(mark) for mark in marks]
    assert -1 not in places, marks[places.index(-1)]
    assert places == sorted(places)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name, make_page, harmless):
    """A name, a reason and a warning with markup in them add no tag, handler or script."""
    times = {"python_loops": {"4x4-4": [1.0, 1.0]}, name: {"4x4-4": [0.5, 0.5]}}
    broken = {f"{name}2": {"4x4-4": [f"ValueError: {name}", None]}}
    page = make_page(times | broken, [f"Busy: {name}"], sweep="shapes")
    found = Tags(page)
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert not any(key.startswith("on") for _, each in found.tags for key in each)
    assert {tag for tag, _ in found.tags} <= harmless
    assert name in " ".join(found.text)


def test_nothing_comes_from_outside(page_of_ladder):
    """No address but the SVG's names, and a policy that would stop a request."""
    page = page_of_ladder
    links = [
        value for tag, each in Tags(page).tags for key, value in each.items()
        if key in ("src", "href", "action", "srcset", "data") or "url(" in (value or "")
    ]  # fmt: skip
    assert links
    assert all(re.match(r"#|data:text/plain|url\(#", link) for link in links)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}
    (policy,) = [
        each["content"] for tag, each in Tags(page).tags
        if tag == "meta" and "http-equiv" in each
    ]  # fmt: skip
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_identifiers_are_unique_and_all_references_lead_somewhere(page_of_ladder):
    """Charts drawn apart share a page without sharing marks or clips."""
    tags = Tags(page_of_ladder).tags
    names = [each["id"] for _, each in tags if "id" in each]
    assert len(names) == len(set(names))
    text = " ".join(str(value) for _, each in tags for value in each.values())
    used = set(re.findall(r"url\(#([^)]+)\)", text))
    used |= {
        each["href"][1:] for tag, each in tags if tag == "use" and each["href"].startswith("#")
    }
    assert used
    assert used <= set(names)


def test_the_data_can_be_taken_from_the_page(page_of_ladder, ladder):
    """Three downloads: the table, each pass' times, and all of it as JSON."""
    found = {
        each["download"]: base64.b64decode(each["href"].split(",")[1]).decode()
        for tag, each in Tags(page_of_ladder).tags
        if "download" in each
    }
    assert set(found) == {"table.csv", "samples.csv", "results.json"}
    table = pd.read_csv(io.StringIO(found["table.csv"]))
    assert list(table.columns) == COLUMNS
    samples = pd.read_csv(io.StringIO(found["samples.csv"]))
    assert len(samples) == 3 * sum(len(row) for row in ladder.values())
    assert json.loads(found["results.json"])


@pytest.mark.slow
def test_every_mark_says_what_it_shows(page_of_ladder):
    """Each drawn value has a target with a sentence; one in each panel is in the Tab order."""
    points = [
        each for tag, each in Tags(page_of_ladder).tags
        if tag == "circle" and each["class"] == "point"
    ]  # fmt: skip
    said = [point["aria-label"] for point in points]
    assert any(
        text.startswith("matmul at 64x64-64, 20.1 us, 95 % interval ")
        and " the speed of python_loops (" in text
        for text in said
    )
    assert all(point["role"] == "img" for point in points)
    panels = [each for _, each in Tags(page_of_ladder).tags if "viewbox" in each]
    assert sum(point["tabindex"] == "0" for point in points) == len(panels)


def test_a_run_that_measured_one_thing_once_has_a_page(make_page):
    """No control, no interval, no rival."""
    page = make_page({"matmul": {"4x4-4": [1e-6]}}, baseline="matmul")
    assert "Nothing was measured beside matmul" in page
    assert "This run does not show it." in page


@pytest.mark.slow
def test_the_reference_runs_page_is_small_enough():
    """Under 3 MB, with every chart in it."""
    page = report.make_page(bundle.load(REFERENCE))
    assert 200_000 < len(page.encode()) < 3_000_000


@pytest.mark.slow
def test_the_command_writes_the_page_beside_the_results(write_run, ladder, capsys):
    """`report RUN` says where it is; a folder that is not there is one line."""
    folder = write_run(ladder)
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == f"Report: {folder}/report.html\n"
    assert main(["report", str(folder), "--output", str(folder / "no" / "page.html")]) == 2
    assert "cannot write" in capsys.readouterr().err
