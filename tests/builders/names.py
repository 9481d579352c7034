"""Names that somebody may give, and what a table is with them."""

import json

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

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


def read_strictly(text):
    """Read JSON as the standard has it, which knows neither NaN nor Infinity."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)
