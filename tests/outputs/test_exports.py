"""Each format, checked by what reads it: pandas, GitHub's own Markdown parser, pyperf, JSON."""

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pandas as pd
import pyperf
import pytest
from cmarkgfm.cmark import Options
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from forwardbench import __version__, results
from forwardbench.analysis.columns import (
    COLUMNS,
    PASS_SECONDS,
)
from forwardbench.analysis.table import summarize
from forwardbench.errors import UserError, one_line
from forwardbench.outputs.exports import FORMATS
from forwardbench.outputs.exports.entries import name_entry
from forwardbench.outputs.exports.tidy_csv import write_table

HOSTILE = [
    "<script>alert(1)</script>", "a | b", "a\\|b", "`code`", "*bold* _it_ ~~no~~", "[a](b:c)",
    "![a](b)", "&amp; &lt;", "# heading", "- item", "1. item", "=====", "> quote", "$x$", "a\nb",
    "a\r\n\r\n| b |", "\x1b[31mred", "a,b;c\td", '"quoted"', "'", '"', "é 中 𝄞", "\u202egpj", " a ",
    "", "NA", "nan", "null", "1e5", "a/b", "a\\b", "_a_", "__init__", "a  b", "<!-- b -->",
]  # fmt: skip
NAMES = st.text() | st.sampled_from(HOSTILE)
TWO_NAMES = st.lists(NAMES, min_size=2, max_size=2, unique=True)
with_fixtures = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@pytest.fixture
def make_run(write_run):
    """Make the results of a run written with `write_run`, and their table."""

    def make(times, **options):
        loaded = results.load(write_run(times, **options))
        return loaded, summarize(loaded)

    return make


@pytest.fixture
def mixed(make_run):
    """A run with every kind of row: measured, no different, a control, estimated and failed."""
    return make_run(
        {
            "python_loops": {"4x4-4": [4e-6, 4e-6, 4e-6]},
            "python_loops (control)": {"4x4-4": [4e-6, 4.1e-6, 4e-6]},
            "matmul": {"4x4-4": [1e-6, None, 1.1e-6], "8x8-8": [2e-6, 2e-6, 2e-6]},
            "list_loops": {"4x4-4": [4e-6, 4.2e-6, 3.9e-6]},
            "broken": {"4x4-4": ["ValueError: no"]},
        },
        skipped={("python_loops", "8x8-8"): (3e-5, 2e-5, 4e-5)},
    )


def rename(table, names):
    """The table with other names in place of matmul's and python_loops's."""
    theirs, baseline = names
    new = {"matmul": theirs, "python_loops": baseline}
    new["python_loops (control)"] = f"{baseline} (control)"
    columns = {
        column: pd.Series([new.get(name, name) for name in table[column]], table.index, object)
        for column in ("implementation", "baseline")
    }
    return table.assign(**columns)


def test_the_formats_have_their_names():
    """The names that the command line takes are a contract."""
    assert list(FORMATS) == ["csv", "markdown", "json", "github-action-benchmark", "pyperf"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_text_that_ends_with_one_newline(name, mixed):
    """What is written to a terminal or a file ends as a line does, and is the same each time."""
    loaded, table = mixed
    before = table.copy()
    text = FORMATS[name](loaded, table)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert FORMATS[name](loaded, table) == text
    pd.testing.assert_frame_equal(table, before)


# --- csv ---------------------------------------------------------------------------------


TEXTS = [
    "implementation", "sweep", "case", "widths", "activation", "dtype", "status", "reason",
    "baseline", "machine", "commit",
]  # fmt: skip


def read_csv(text):
    """Read a table with pandas as its users do, who know which columns hold numbers."""
    texts = dict.fromkeys(TEXTS, str)
    numbers = {name: [""] for name in COLUMNS if name not in texts}
    return pd.read_csv(
        io.StringIO(text),
        dtype=texts,
        na_values=numbers,
        keep_default_na=False,
    )


def test_csv_has_the_columns_of_the_design_and_leaves_the_unknown_empty(make_run):
    """A row is what the design says, cell by cell; one pass has no interval."""
    text = FORMATS["csv"](*make_run({"matmul": {"4x4-4": [2e-6]}}))
    assert text == (
        "implementation,sweep,case,batch,widths,activation,dtype,threads,status,reason,passes,"
        "seconds,seconds_low,seconds_high,baseline,speedup,speedup_low,speedup_high,gflops,error,"
        "machine,commit\n"
        "matmul,square,4x4-4,4,4-4,sigmoid,float64,1,measured,,1,2e-06,,,python_loops,,,,0.064,"
        '1e-16,"Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test",0123456789\n'
    )


@given(names=TWO_NAMES)
@with_fixtures
def test_csv_comes_back_equal_through_pandas(names, mixed):
    """Whatever the names are, as reading them leaves them, nothing of the table is lost."""
    loaded, table = mixed
    table = rename(table, [one_line(name) for name in names])
    read = read_csv(FORMATS["csv"](loaded, table))
    pd.testing.assert_frame_equal(read, table[COLUMNS], check_dtype=False, rtol=1e-14)


def test_a_table_is_written_into_a_file_whole(mixed, tmp_path):
    """The file holds what the format is, and nothing else is left in its folder."""
    loaded, table = mixed
    folder = tmp_path / "new"
    folder.mkdir()
    write_table(table, folder / "table.csv")
    assert (folder / "table.csv").read_text() == FORMATS["csv"](loaded, table)
    assert [path.name for path in folder.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("place", ["nowhere/table.csv", "file/table.csv", "folder", "."])
def test_a_table_that_cannot_be_written_is_said_in_one_line(place, mixed, tmp_path, monkeypatch):
    """No such folder, a file in its place, and a folder in place of the file."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"^cannot write {re.escape(place)}: [^\n]+$"):
        write_table(mixed[1], Path(place))


# --- json --------------------------------------------------------------------------------


def read_strictly(text):
    """Read JSON as the standard has it, which knows neither NaN nor Infinity."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_says_where_it_is_from(mixed):
    """Format, versions, machine, commit and facts stand beside the rows."""
    loaded, table = mixed
    document = read_strictly(FORMATS["json"](loaded, table))
    assert len(document.pop("rows")) == len(table)
    assert document == {
        "format_version": 1,
        "forwardbench_version": __version__,
        "tool": "forwardbench",
        "machine": "Made-up CPU, 2 CPUs, OpenBLAS 0.3 Test",
        "commit": "0123456789",
        "workload_version": "1",
        "facts": {
            "CPU": "Made-up CPU, 2 CPUs",
            "BLAS": "OpenBLAS 0.3 Test",
            "commit": "0123456789",
        },
        "first_calls": [],
    }


def test_json_has_null_for_what_is_not_known(mixed):
    """A pass without a time is null, like whatever CSV leaves empty."""
    loaded, table = mixed
    rows = read_strictly(FORMATS["json"](loaded, table))["rows"]
    (row,) = [r for r in rows if (r["implementation"], r["case"]) == ("matmul", "4x4-4")]
    assert row[PASS_SECONDS] == [1e-6, None, 1.1e-6]
    assert (row["reason"], row["passes"], row["batch"]) == (None, 2, 4)
    lines = list(csv.DictReader(io.StringIO(FORMATS["csv"](loaded, table))))
    for row, line in zip(rows, lines, strict=True):
        assert {name for name in COLUMNS if row[name] is None} == {
            name for name in COLUMNS if line[name] == ""
        }


def test_json_stays_json_where_a_number_is_infinite(mixed):
    """An error beyond all numbers, which a file may claim, is written as not known."""
    loaded, table = mixed
    text = FORMATS["json"](loaded, table.assign(error=float("inf")))
    assert {row["error"] for row in read_strictly(text)["rows"]} == {None}


@given(names=TWO_NAMES)
@with_fixtures
def test_json_comes_back_equal(names, mixed):
    """Whatever the names are, every value of every row comes back."""
    loaded, table = mixed
    table = rename(table, names)
    rows = read_strictly(FORMATS["json"](loaded, table))["rows"]
    for row, expected in zip(rows, table.to_dict("records"), strict=True):
        assert list(row) == [*COLUMNS, PASS_SECONDS]
        for name in COLUMNS:
            known = expected[name] == expected[name] and expected[name] != ""
            assert row[name] == (expected[name] if known else None)


# --- markdown ----------------------------------------------------------------------------

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
    text = FORMATS["markdown"](*mixed)
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


def test_markdown_has_one_table_for_each_setting(make_run):
    """Two dtypes are two headings and two tables, each with its own finding."""
    times = {"python_loops": {"4x4-4": [4e-6] * 2}, "matmul": {"4x4-4": [1e-6] * 2}}
    _, double = make_run(times, name="double")
    loaded, single = make_run(times, name="single", threads=2)
    single = single.assign(dtype="float32")
    page = Page(FORMATS["markdown"](loaded, pd.concat([double, single], ignore_index=True)))
    assert [heading.split("; ")[-1] for heading in page.headings] == [
        "float64, 1 thread",
        "float32, 2 threads",
    ]
    assert [row[0] for row in page.rows] == ["case", "4x4-4", "4x4-4"] * 2


def test_markdown_names_the_activation_where_there_are_several(make_run):
    """Two rows of one table never look the same."""
    _, one = make_run({"matmul": {"4x4-4": [1e-6]}})
    loaded, _ = make_run({"matmul": {"4x4-4": [1e-6]}}, name="other")
    both = pd.concat([one, one.assign(activation="relu")], ignore_index=True)
    page = Page(FORMATS["markdown"](loaded, both))
    assert [row[0] for row in page.rows] == ["case", "4x4-4 relu", "4x4-4 sigmoid"]


def test_markdown_of_controls_alone_is_an_empty_table(make_run):
    """A file of pytest-benchmark's may hold nothing else."""
    text = FORMATS["markdown"](*make_run({"matmul (control)": {"4x4-4": [1e-6]}}))
    assert [row[0] for row in Page(text).rows] == ["case"]


@pytest.fixture
def timed_by_asv(mixed):
    """A run whose intervals are asv's own."""
    loaded, table = mixed
    origin = replace(loaded.origin, tool="asv", facts={"intervals": "asv's own, 99 %"})
    return replace(loaded, origin=origin), table.assign(passes=1)


def test_intervals_of_the_tool_itself_are_not_called_95_percent(timed_by_asv):
    """Their level is the tool's, and they know nothing of how runs differ."""
    text = FORMATS["markdown"](*timed_by_asv)
    assert Page(text).rows[0][4] == "interval"
    assert "Intervals: asv's own, 99 %." in text
    _, of_matmul, *_ = json.loads(FORMATS["github-action-benchmark"](*timed_by_asv))
    assert of_matmul["extra"] == (
        "speedup over python_loops: 3.81x, interval of one run's samples 2.08 to 6.99\npasses: 1"
    )


@given(names=TWO_NAMES)
@with_fixtures
def test_a_hostile_name_stays_text_in_markdown(names, mixed):
    """GitHub's parser finds six columns in each row, the names as they are, and nothing else."""
    loaded, table = mixed
    table = rename(table, names).assign(reason=names[0])
    page = Page(FORMATS["markdown"](loaded, table))
    assert page.tags - {"a"} == GITHUB_TABLE  # GitHub makes a link of a bare address
    assert len(page.headings) == 1
    assert {len(row) for row in page.rows} == {6}
    shown = {row[1] for row in page.rows[1:]}
    assert shown == {*map(as_shown, names), "list_loops", "broken"}


def as_shown(name):
    """A name in one line, with nothing that a screen would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(name.split()))


# --- github-action-benchmark ---------------------------------------------------------------


def test_an_entry_of_the_action_has_exactly_these_values(make_run):
    """Microseconds, half the interval's width in the same unit, and what it means."""
    entries = json.loads(
        FORMATS["github-action-benchmark"](
            *make_run({"python_loops": {"4x4-4": [8e-6] * 2}, "matmul": {"4x4-4": [2e-6] * 2}})
        )
    )
    assert entries == [
        {
            "name": "python_loops/square/4x4-4/float64/1 thread",
            "unit": "us",
            "value": 8.0,
            "range": "± 0.0",
            "extra": "the baseline\npasses: 2",
        },
        {
            "name": "matmul/square/4x4-4/float64/1 thread",
            "unit": "us",
            "value": 2.0,
            "range": "± 0.0",
            "extra": "speedup over python_loops: 4.00x, 95 % interval 4.00 to 4.00\npasses: 2",
        },
    ]


def test_the_action_gets_credible_times_only(make_run):
    """No control, nothing estimated or failed, and nothing that beats the machine's peak."""
    peak = {"dtype": "float64", "threads": 1, "gflops": 1.0, "bytes_per_second": 1e12}
    loaded, table = make_run(
        {
            "python_loops": {"64x64-64": [4e-3, 4e-3]},
            "python_loops (control)": {"64x64-64": [4e-3, 4e-3]},
            "too_good": {"64x64-64": [1e-9, 1e-9]},
            "broken": {"64x64-64": ["ValueError: no"]},
        },
        skipped={("slow", "64x64-64"): (9.0, 8.0, 10.0)},
        ceilings=[peak],
    )
    for name in ("github-action-benchmark", "pyperf"):
        text = FORMATS[name](loaded, table)
        assert re.findall(r'"name": "(\w+)/', text) == ["python_loops"]


@pytest.mark.parametrize("name", ["github-action-benchmark", "pyperf"])
def test_nothing_measured_is_an_error_where_the_reader_takes_no_empty_list(name, make_run):
    """Both tools refuse a file without entries, so none is written."""
    loaded, table = make_run({"matmul": {"4x4-4": ["ValueError: no"]}})
    with pytest.raises(UserError, match=f"no time to give to {name}, since no cell was measured"):
        FORMATS[name](loaded, table)


def test_one_pass_has_no_range(make_run):
    """What is not known is left out, as the action allows."""
    (entry,) = json.loads(
        FORMATS["github-action-benchmark"](*make_run({"matmul": {"4x4-4": [2.5e-6]}}))
    )
    assert entry == {
        "name": "matmul/square/4x4-4/float64/1 thread",
        "unit": "us",
        "value": 2.5,
        "extra": "speedup over python_loops not known\npasses: 1",
    }


@given(
    names=TWO_NAMES,
    seconds=st.lists(
        st.floats(1e-9, 1e5, allow_nan=False, allow_subnormal=False), min_size=4, max_size=4
    ),
)
@with_fixtures
def test_entries_are_of_the_documented_form(names, seconds, mixed):
    """Texts and finite numbers by the documented keys; the action reads the range as a number."""
    loaded, table = mixed
    low, high = min(seconds), max(seconds)
    table = rename(table, names).assign(seconds=seconds[0], seconds_low=low, seconds_high=high)
    entries = read_strictly(FORMATS["github-action-benchmark"](loaded, table))
    assert len({entry["name"] for entry in entries}) == len(entries) == 4
    for entry in entries:
        assert set(entry) == {"name", "unit", "value", "range", "extra"}
        assert entry["value"] == pytest.approx(seconds[0] * 1e6, rel=1e-5)
        # This is how the action finds the number: `extractRangeInfo` of its source.
        number = re.search(r"(?P<prefix>(\+-|±)\s*)(?P<value>\d.+)", entry["range"])["value"]
        assert float(number) == pytest.approx((high - low) / 2 * 1e6, rel=1e-2)


def test_a_name_depends_on_its_cell_alone():
    """It is the same in every run, or the action would begin a new line in its chart."""
    row = {
        "implementation": "matmul", "sweep": "course", "case": "3x4-2", "activation": "linear",
        "dtype": "float32", "threads": 2,
    }  # fmt: skip
    assert name_entry(row) == "matmul/course/3x4-2 linear/float32/2 threads"


CELLS = st.fixed_dictionaries(
    {
        "implementation": st.text("a/\\ \n2f;", max_size=6) | NAMES,
        "sweep": st.text("a/\\ \n2f;", max_size=6) | NAMES,
        "case": st.sampled_from(["1x1-1", "1x1-1-1"]),
        "activation": st.sampled_from(["sigmoid", "relu"]),
        "dtype": st.sampled_from(["float64", "float32"]),
        "threads": st.integers(1, 3),
    }
)


def named(implementation, sweep):
    """A cell that differs from others in two names only."""
    rest = {"case": "1x1-1", "activation": "relu", "dtype": "float64", "threads": 1}
    return {"implementation": implementation, "sweep": sweep, **rest}


@given(one=CELLS, other=CELLS)
@example(one=named("a/b", "c"), other=named("a", "b/c"))
@example(one=named("/", ""), other=named("\\2f;", ""))
@example(one=named(" a", ""), other=named("a", ""))
@example(one=named("a\n", ""), other=named("a\r", ""))
def test_two_cells_never_share_a_name(one, other):
    """However the names of implementation and sweep are cut."""
    names = [name_entry(row) for row in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(name.isprintable() and name.strip() == name for name in names)


# --- pyperf ------------------------------------------------------------------------------


def ask_pyperf(*arguments):
    """What pyperf prints when it is started as its users start it."""
    command = [sys.executable, "-m", "pyperf", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_pyperf_compares_two_runs(make_run, tmp_path):
    """It prints the ratios that the times have, cell by cell."""
    files = []
    for name, factor in (("before", 1.0), ("after", 0.4)):
        times = {
            "python_loops": {"4x4-4": [1e-6, 1.01e-6, 0.99e-6]},
            "matmul": {"4x4-4": [factor * each for each in (5e-6, 5.05e-6, 4.95e-6)]},
        }
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(FORMATS["pyperf"](*make_run(times, name=name)))
    said = ask_pyperf("compare_to", *files)
    assert (
        "matmul/square/4x4-4/float64/1 thread: Mean +- std dev: "
        "[before] 5.00 us +- 0.05 us -> [after] 2.00 us +- 0.02 us: 2.50x faster"
    ) in said
    assert (
        "Benchmark hidden because not significant (1): python_loops/square/4x4-4/float64/1 thread"
    ) in said
    assert "Geometric mean: 1.58x faster" in said


def test_pyperf_counts_a_pass_as_a_run(mixed, tmp_path):
    """Three passes of which one has no time are two runs of one value each."""
    file = tmp_path / "run.json"
    file.write_text(FORMATS["pyperf"](*mixed))
    stats = ask_pyperf("stats", file)
    assert "Number of benchmarks: 4" in stats
    of_matmul = stats.split("matmul/square/4x4-4/float64/1 thread")[1].split("Maximum:")[0]
    for line in ("run with values: 2", "value per run: 1", "Minimum: 1.00 us", "Mean:    1.05 us"):
        assert line in of_matmul
    assert "Mean +- std dev: 1.05 us +- 0.07 us" in ask_pyperf("show", "--quiet", file)


def test_pyperf_shows_what_is_known_of_the_machine(mixed, tmp_path):
    """By pyperf's own names where it has one; what is not known is left out, as are host names."""
    loaded, table = mixed
    facts = {**loaded.origin.facts, "system": "Linux 6.1", "Python": "3.12.1"}
    loaded = replace(loaded, origin=replace(loaded.origin, facts=facts))
    suite = pyperf.BenchmarkSuite.loads(FORMATS["pyperf"](loaded, table))
    assert suite.get_metadata() == {
        "unit": "second",
        "cpu_model_name": "Made-up CPU",
        "cpu_count": 2,
        "platform": "Linux 6.1",
        "python_version": "3.12.1",
        "blas": "OpenBLAS 0.3 Test",
        "commit": "0123456789",
        "workload_version": "1",
        "timed_by": "forwardbench",
        "forwardbench_version": __version__,
    }


@pytest.mark.parametrize(
    ("hardware", "cpu", "count"),
    [
        ("AMD EPYC, 2 CPUs", "AMD EPYC", 2),
        ("Intel, Inc. X, 64 CPUs", "Intel, Inc. X", 64),
        ("2 CPUs", None, 2),
        ("AMD EPYC", "AMD EPYC", None),
        ("AMD EPYC, 0 CPUs", "AMD EPYC", None),
        ("", None, None),
    ],
)
def test_pyperf_takes_cpu_and_count_apart(hardware, cpu, count, mixed):
    """Either may be missing, and pyperf refuses an empty text and a count of none."""
    loaded, table = mixed
    loaded = replace(loaded, origin=replace(loaded.origin, hardware=hardware))
    metadata = pyperf.BenchmarkSuite.loads(FORMATS["pyperf"](loaded, table)).get_metadata()
    assert (metadata.get("cpu_model_name"), metadata.get("cpu_count")) == (cpu, count)


@given(names=TWO_NAMES, fact=NAMES)
@with_fixtures
def test_pyperf_reads_hostile_names_and_facts(names, fact, mixed):
    """Every cell is a benchmark of its own with the values that it has."""
    loaded, table = mixed
    origin = replace(loaded.origin, facts={"Python": fact, "system": fact}, hardware=fact)
    loaded = replace(loaded, origin=origin, commit=fact)
    suite = pyperf.BenchmarkSuite.loads(FORMATS["pyperf"](loaded, rename(table, names)))
    values = [benchmark.get_values() for benchmark in suite.get_benchmarks()]
    assert values == [
        (4e-6, 4e-6, 4e-6),
        (1e-6, 1.1e-6),
        (2e-6, 2e-6, 2e-6),
        (4e-6, 4.2e-6, 3.9e-6),
    ]
