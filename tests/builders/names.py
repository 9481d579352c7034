"""Names that somebody may give, and what a bundle is with them."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from builders.tables import with_table
from forwardbench.outputs.bundle import Bundle

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


def rename(bundle: Bundle, names: Sequence[str]) -> Bundle:
    """The same with other names in place of matmul's and python_loops's."""
    theirs, baseline = names
    new = {"matmul": theirs, "python_loops": baseline}
    new["python_loops (control)"] = f"{baseline} (control)"
    table = bundle.table
    columns = {
        column: pd.Series([new.get(name, name) for name in table[column]], table.index, object)
        for column in ("implementation", "baseline")
    }
    if baseline:  # without a name it would be no control's
        columns["control_of"] = table["control_of"].replace("python_loops", baseline)
    return with_table(bundle, **columns)


def read_strictly(text: str) -> Any:
    """Read JSON as the standard has it, which knows neither NaN nor Infinity."""

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)
