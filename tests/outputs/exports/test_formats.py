"""What holds for every format."""

import pandas as pd
import pytest

from forwardbench.outputs.exports import FORMATS


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
