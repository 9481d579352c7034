"""What holds for every format."""

import pandas as pd
import pytest

from builders.exports import FORMATS, write
from forwardbench.outputs.bundle import Bundle


def test_the_formats_have_their_names():
    """The names that the command line takes are a contract."""
    assert list(FORMATS) == [
        "csv", "samples-csv", "json", "break-even-csv", "markdown", "github-action-benchmark",
        "pyperf", "html",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_text_that_ends_with_one_newline(name, mixed):
    """What is written to a terminal or a file ends as a line does, and is the same each time."""
    before = mixed.table.copy()
    text = write(name, mixed)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert write(name, mixed) == text
    assert write(name, Bundle(mixed.results, run=mixed.run)) == text
    pd.testing.assert_frame_equal(mixed.table, before)
