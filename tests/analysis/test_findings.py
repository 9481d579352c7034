"""Sentences: what a table says, word for word."""

import math

import pytest

from builders.tables import Times, from_ratios, make, square
from forwardbench.analysis import findings, size_findings
from forwardbench.analysis.crossovers import Crossover, Reach
from forwardbench.outputs.bundle import Bundle

SETTINGS = (("float64", 1), ("float32", 2))


def finding(whole: Bundle) -> str:
    """The finding of a bundle."""
    return findings.finding(whole.table, whole.evidence)


def fastest(whole: Bundle) -> str:
    """Who is fastest in a bundle."""
    return findings.fastest(whole.table, whole.evidence)


def overview(whole: Bundle) -> str:
    """Between which ratios a bundle lies."""
    return findings.overview(whole.table, whole.evidence)


def exactly(ratio):
    """Three passes with one ratio: the interval has no width."""
    return [ratio] * 3


def test_the_finding_names_case_ratio_interval_passes_and_crossover():
    """The title of the speedup chart, in full."""
    whole = from_ratios({1: exactly(0.5), 4: exactly(2), 16: exactly(8)})
    assert finding(whole) == (
        "matmul is 8.00 times faster than python_loops at 16x16-16 (95 % interval 8.00 to 8.00, "
        "3 passes); faster from size 4 on (crossing 2, 2 to 2)"
    )


@pytest.mark.parametrize(
    ("ratios", "sentence"),
    [
        (
            {4: [2.0]},
            "matmul is 2.00 times faster than python_loops at 4x4-4 (one pass, so no interval)",
        ),
        (
            {4: exactly(0.5)},
            "Nothing beats python_loops at 4x4-4: matmul takes 2.00 times as long (95 % interval "
            "2.00 to 2.00, 3 passes)",
        ),
        (
            {4: [0.25, 1.0, 4.0]},
            "No difference shown between matmul and python_loops at 4x4-4 (95 % interval 0.0319 to "
            "31.3, 3 passes)",
        ),
    ],
)
def test_the_finding_says_what_is_not_known(ratios, sentence):
    """One pass, a loss, or no difference are findings too."""
    assert finding(from_ratios(ratios)) == sentence


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ({"python_loops": {"4x4-4": [1.0]}}, "Nothing was measured beside python_loops"),
        (
            {"matmul": {"4x4-4": [1.0]}},
            "python_loops was not measured where others were: choose another --baseline",
        ),
        ({"matmul": {"4x4-4": ("failed", "no")}}, "Nothing was measured"),
    ],
)
def test_the_finding_of_little(times, sentence):
    """Without two times to compare, it says so and what to do."""
    assert finding(make(times)) == sentence


def test_an_estimate_or_a_doubted_time_is_no_finding():
    """The largest case that was measured, and is believed, counts."""
    times: Times = {
        "python_loops": {square(4): [8.0] * 3, square(16): [8.0] * 3, square(64): [8.0] * 3},
        "matmul": {
            square(4): [1.0] * 3,
            square(16): [1e-9] * 3,
            square(64): ("skipped", "", 1, 1, 1),
        },
    }
    whole = make(times, ceilings={("float64", 1): (100.0, 1e12)})
    assert finding(whole).startswith("matmul is 8.00 times faster than python_loops at 4x4")


def test_of_several_settings_the_first_is_named():
    """A title about one of them says which."""
    times = {"python_loops": {"4x4-4": [2.0] * 3}, "matmul": {"4x4-4": [1.0] * 3}}
    whole = make(times, settings=SETTINGS)
    for sentence in (finding(whole), fastest(whole), overview(whole)):
        assert sentence.startswith("float64, 1 thread: ")
    assert findings.sureness(whole.table).startswith("float64, 1 thread: ")
    assert [findings.name_setting(rows) for rows in findings.settings(whole.table)] == [
        "float64, 1 thread",
        "float32, 2 threads",
    ]


def leading(ladder, **options):
    """The sentence for a table: label, then size, then seconds, or times of three passes."""
    times = {
        name: {
            square(size): seconds if isinstance(seconds, list) else [seconds] * 3
            for size, seconds in row.items()
        }
        for name, row in ladder.items()
    }
    return fastest(make(times, **options))


def test_the_fastest_over_all_sizes():
    """One name where nobody else ever leads."""
    assert leading({"a": {1: 1.0, 4: 1.0}, "b": {1: 2.0, 4: 2.0}}) == "Fastest at every size: a"


def test_who_cannot_be_told_apart_leads_together():
    """Where no difference is shown nobody is picked; of many, one is named, the rest counted."""
    noisy = [0.8, 1.0, 1.25]
    crowd = {
        name: {1: [time * noisy[(place + number) % 3] for number in range(3)]}
        for place, (name, time) in enumerate(zip("abcd", (1.0, 1.01, 1.02, 1.03), strict=True))
    }
    two = {name: crowd[name] for name in "ab"}
    assert leading(two) == "Fastest at every size: a or b"
    assert leading({name: crowd[name] for name in "abc"}) == "Fastest at every size: a or b or c"
    assert leading({**two, "c": {1: 5.0}}) == "Fastest at every size: a or b"
    assert leading({**crowd, "d": {1: [1.03 * f for f in (1, 0.8, 1.25)]}}) == (
        "Fastest at every size: a or 3 others"
    )


def test_the_lead_changes_at_crossovers():
    """Each with its interval, in the order of sizes."""
    ladder = {
        "a": {1: 1.0, 4: 4.0, 16: 64.0},
        "b": {1: 2.0, 4: 2.0, 16: 8.0},
        "c": {1: 9.0, 4: 8.0, 16: 2.0},
    }
    assert leading({name: ladder[name] for name in "ab"}) == (
        "Fastest: a at size 1, b from 4 on (crossing 2, 2 to 2)"
    )
    assert leading(ladder) == (
        "Fastest: a at size 1, b at 4 (crossing 2, 2 to 2), c at 16 (crossing 8, 8 to 9.35)"
    )


def test_a_lead_without_a_crossover_is_said_with_sizes():
    """Where nothing tells when the next one takes over, the measured sizes do."""
    assert leading({"a": {1: 1.0, 4: 1.0, 16: 9.0}, "b": {16: 1.0}}) == (
        "Fastest: a up to size 4, b at 16"
    )
    assert leading({"a": {1: 1.0, 4: 9.0, 16: 9.0}, "b": {4: 1.0}, "c": {16: 1.0}}) == (
        "Fastest: a at size 1, b at 4, c at 16"
    )


def test_the_fastest_of_unrelated_cases():
    """Case by case, those with one winner together; many are counted."""
    times = {
        "a": {"1x2-3": [1.0] * 3, "3x4-2": [1.0] * 3, "9x9-9": [9.0] * 3},
        "b": {"1x2-3": [2.0] * 3, "3x4-2": [2.0] * 3, "9x9-9": [2.0] * 3},
    }
    assert fastest(make(times, sweep="mine")) == "Fastest: a at 1x2-3 and 3x4-2, b at 9x9-9"
    many = {"a": {f"{n}x2-3": [1.0] for n in range(1, 6)}}
    assert fastest(make(many, sweep="mine")) == "Fastest: a at 5 cases"


def test_nothing_measured_is_said():
    """Every sentence has words for an empty table."""
    whole = make({"matmul": {"4x4-4": ("failed", "ValueError: no")}})
    assert fastest(whole) == "Nothing was measured"
    assert findings.cheapest(whole.table) == "Nothing was measured"
    assert overview(whole) == "Nothing was measured"
    assert findings.sureness(whole.table).startswith("One pass, so nothing is known")


def test_the_cheapest_multiply_add():
    """The smallest cost of any, beside what the baseline pays on its largest case."""
    times = {
        "python_loops": {square(1): [1e-6] * 3, square(10): [1e-4] * 3},
        "matmul": {square(1): [2e-6] * 3, square(10): [1e-6] * 3},
    }
    assert findings.cheapest(make(times).table) == (
        "A multiply-add takes 1.00 ns in matmul at 10x10-10, 100 ns in python_loops at 10x10-10"
    )
    assert findings.cheapest(make({"python_loops": times["python_loops"]}).table) == (
        "A multiply-add takes 100 ns in python_loops at 10x10-10"
    )


def test_how_sure_the_times_are():
    """The median of the half-widths and the widest, with its cell."""
    half = math.log(1.02) * 4.302652729911275 / math.sqrt(3)
    times = {
        "python_loops": {square(1): [1.0] * 3, square(4): [1.0] * 3},
        "matmul": {square(1): [1.0, 1.02, 1 / 1.02]},
    }
    assert findings.sureness(make(times).table) == (
        f"Half of all times are known to 0 %, the worst to {math.sinh(half) * 100:.1f} % "
        "(matmul at 1x1-1)"
    )
    assert findings.sureness(make({"matmul": {square(1): [1.0]}}).table) == (
        "One pass, so nothing is known of how sure these times are"
    )


def test_the_overview_names_both_ends():
    """The smallest and the largest ratio with who has them; the baseline is neither."""
    whole = from_ratios({1: exactly(0.5), 4: exactly(2)})
    assert overview(whole) == "From 0.500x (matmul at 1x1-1) to 2.00x (matmul at 4x4-4)"


def test_setting_and_caption():
    """What was computed, and what it ran on."""
    table = from_ratios({1: exactly(2)}, settings=SETTINGS).table
    assert (
        findings.describe_sweep(table) == "square: batch = inputs = units, from 1 to 1024; sigmoid"
    )
    assert findings.caption(table) == (
        "Made-up CPU, 2 CPUs  |  float64, 1 thread; float32, 2 threads  |  3 passes  |  "
        "commit 0123456789"
    )
    bare = from_ratios({1: [2.0]}, machine="", commit="", sweep="mine").table
    assert findings.describe_sweep(bare) == "mine: cases given one by one; sigmoid"
    assert findings.caption(bare) == "machine not recorded  |  float64, 1 thread  |  1 pass"


def test_the_noise_floor_in_words():
    """Controls that are 2 % off in every pass; nothing where there are none."""
    times = {
        "python_loops": {square(1): [1.0] * 3},
        "python_loops (control)": {square(1): [1.02] * 3},
    }
    assert findings.noise_sentence(make(times).table) == (
        "Noise floor: of ratios of identical code, 95 % are expected within 6.5 % of 1x."
    )
    assert findings.noise_sentence(make({"python_loops": {square(1): [1.0]}}).table) == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Reach("always", None, (1, 1024), (1, 1024), ()), "at every size (1 to 1,024)"),
        (Reach("never", None, (1, 1024), (), (1,)), "never in this range (1 to 1,024)"),
        (Reach("unclear", None, (1, 4), (), ()), "no difference shown (1 to 4)"),
        (Reach("unclear", None, (), (), ()), "no difference shown (no size in common)"),
        (
            Reach("some", None, (1, 4, 8, 1024), (1, 8, 1024), (4,)),
            "at sizes 1, 8 and 1,024, and at no other size measured (1 to 1,024)",
        ),
        (
            Reach("some", None, (1, 4), (4,), ()),
            "at size 4, and at no other size measured (1 to 4)",
        ),
        (
            Reach("from", Crossover(3.1, 2.9, 3.4, upward=True), (1, 4), (4,), (1,)),
            "from size 4 on (crossing 3.1, 2.9 to 3.4)",
        ),
        (
            Reach(
                "until",
                Crossover(12345, math.nan, math.nan, upward=False),
                (1, 2048, 99_999),
                (1, 2048),
                (99_999,),
            ),
            "up to size 2,048 (crossing 12,300)",
        ),
    ],
)
def test_reaches_in_words(found, words):
    """Always, never, and from or up to a size that was measured."""
    assert size_findings.reach_words(found) == words


@pytest.mark.parametrize(
    ("sweep", "cases", "word", "said"),
    [
        ("square", ("4x4-4", "8x8-8"), "size", "sizes 4 and 8"),
        ("sample", ("1x4-4", "1x8-8"), "width", "widths 4 and 8"),
        ("mlp", ("4x784-10", "8x784-10"), "batch", "batches 4 and 8"),
    ],
)
def test_sizes_are_called_what_they_are(sweep, cases, word, said):
    """Networks of one form differ in their batch, single examples in their width."""
    table = make({"matmul": {case: [1.0] for case in cases}}, sweep=sweep).table
    assert size_findings.size_word(table) == word
    found = Reach("some", None, (1, 4, 8), (4, 8), ())
    assert size_findings.reach_words(found, word) == (
        f"at {said}, and at no other {word} measured (1 to 8)"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(3.2567, "3.26"), (99.96, "100"), (130.4, "130"), (12345, "12,300"), (2.5e6, "2,500,000")],
)
def test_sizes_have_no_exponent(size, words):
    """Three digits, commas in thousands."""
    assert size_findings.format_size(size) == words


def test_a_cell_in_a_sentence():
    """Time, interval and ratio; an estimate says that it is one."""
    table = from_ratios({4: exactly(2)}).table
    (row,) = [row for _, row in table.iterrows() if row["implementation"] == "matmul"]
    assert findings.describe_row(row) == (
        "matmul at 4x4-4, 500 us, 95 % interval 500 us to 500 us, 2.00x the speed of python_loops "
        "(2.00 to 2.00)"
    )
    guess = make({"matmul": {"4x4-4": ("skipped", "too long", 3.0, 2.0, 4.0)}}).table.iloc[0]
    assert findings.describe_row(guess) == "matmul at 4x4-4, estimated 3.00 s, never measured"


def test_an_alternative_text_says_what_is_to_be_seen():
    """Kind of chart, finding, and both ends of each series."""
    table = from_ratios({1: exactly(0.5), 4: exactly(2)}).table
    assert findings.describe(table, "speedup", "the title") == (
        "Line chart of speedup by size in the sweep square, where the title. Speedups over "
        "python_loops: python_loops: 1.00x at 1x1-1, 1.00x at 4x4-4; matmul: 0.500x at 1x1-1, "
        "2.00x at 4x4-4."
    )
