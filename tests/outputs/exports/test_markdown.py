"""Markdown, checked by GitHub's own parser."""

import json
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given

from builders.exports import write
from builders.names import TWO_NAMES, rename, with_fixtures
from builders.tables import joined, make, make_results, with_table
from forwardbench.outputs.bundle import Bundle

GITHUB_TABLE = {"h2", "p", "table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """The tags of a page, its headings, and the text of each cell of its tables, row by row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.headings, self.rows, self.inside = set(), [], [], []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.tags.add(tag)
        self.inside.append(tag)
        if tag == "h2":
            self.headings.append("")
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):  # noqa: D102
        assert self.inside.pop() == tag

    def handle_comment(self, data):  # noqa: D102
        self.tags.add("a comment")

    def handle_data(self, data):  # noqa: D102
        if "h2" in self.inside:
            self.headings[-1] += data
        elif {"td", "th"} & set(self.inside):
            self.rows[-1][-1] += data


def test_markdown_has_exactly_this_form(mixed):
    """Heading, finding, a table without controls, how to read it, and what it ran on."""
    text = write("markdown", mixed)
    assert text.replace("predicted 9 s a call, over the limit of 1 s", "over the limit") == (
        EXPECTED_MARKDOWN
    )


EXPECTED_MARKDOWN = """\
## square: batch = inputs = units, from 1 to 1024; sigmoid; float64, 1 thread

matmul is 3.81 times faster than python_loops at 4x4-4 (95 % interval 2.08 to 6.99, 2 passes).

| case | implementation | time | speedup | 95 % interval | status |
| :--- | :--- | ---: | ---: | ---: | :--- |
| 4x4-4 | matmul | 1.05 us | 3.81x | 2.08 to 6.99 | measured |
| 4x4-4 | python_loops | 4.00 us | 1.00x |  | measured |
| 4x4-4 | list_loops | 4.03 us | (0.992x) | 0.904 to 1.09 | measured |
| 4x4-4 | broken |  |  |  | failed: ValueError: no |
| 8x8-8 | matmul | 2.00 us | ~15.0x |  | measured |
| 8x8-8 | python_loops | ~30.0 us | ~1.00x |  | estimated: over the limit |

Speedups are over python_loops. In brackets: no difference shown. ~ is estimated, never measured. \
Noise floor: of ratios of identical code, 95 % are expected within 3.6 % of 1x.

Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test | float64, 1 thread | 3 passes | commit 0123456789
"""


def test_markdown_has_one_table_for_each_setting():
    """Two dtypes are two headings and two tables, each with its own finding."""
    times = {"python_loops": {"4x4-4": [4e-6] * 2}, "matmul": {"4x4-4": [1e-6] * 2}}
    whole = make(times, settings=(("float64", 1), ("float32", 2)))
    page = Page(write("markdown", whole))
    assert [heading.split("; ")[-1] for heading in page.headings] == [
        "float64, 1 thread",
        "float32, 2 threads",
    ]
    assert [row[0] for row in page.rows] == ["case", "4x4-4", "4x4-4"] * 2


def test_markdown_names_the_activation_where_there_are_several():
    """Two rows of one table never look the same."""
    one, other = (
        make_results({"matmul": {"4x4-4": [1e-6]}}, activation=activation)
        for activation in ("sigmoid", "relu")
    )
    page = Page(write("markdown", Bundle(joined(one, other))))
    assert [row[0] for row in page.rows] == ["case", "4x4-4 relu", "4x4-4 sigmoid"]


def test_markdown_of_controls_alone_is_an_empty_table(make_bundle):
    """A file of pytest-benchmark's may hold nothing else."""
    text = write("markdown", make_bundle({"matmul (control)": {"4x4-4": [1e-6]}}))
    assert [row[0] for row in Page(text).rows] == ["case"]


def test_intervals_of_the_tool_itself_are_not_called_95_percent(timed_by_asv):
    """Their level is the tool's, and they know nothing of how runs differ."""
    text = write("markdown", timed_by_asv)
    assert Page(text).rows[0][4] == "interval"
    assert "Intervals: asv's own, 99 %." in text
    _, of_matmul, *_ = json.loads(write("github-action-benchmark", timed_by_asv))
    assert of_matmul["extra"] == (
        "speedup over python_loops: 3.81x, interval of one run's samples 2.08 to 6.99\npasses: 1"
    )


@pytest.mark.slow
@given(names=TWO_NAMES)
@with_fixtures
def test_a_hostile_name_stays_text_in_markdown(names, mixed):
    """GitHub's parser finds six columns in each row, the names as they are, and nothing else."""
    renamed = with_table(rename(mixed, names), reason=names[0])
    page = Page(write("markdown", renamed))
    assert page.tags - {"a"} == GITHUB_TABLE  # GitHub makes a link of a bare address
    assert len(page.headings) == 1
    assert {len(row) for row in page.rows} == {6}
    shown = {row[1] for row in page.rows[1:]}
    assert shown == {*map(as_shown, names), "list_loops", "broken"}


def as_shown(name):
    """A name in one line, with nothing that a screen would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(name.split()))
