"""A run in the forms that other tools read: each form is one file with a function `write`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forwardbench.outputs.exports import (
    github_action_benchmark,
    markdown,
    plain_json,
    pyperf,
    tidy_csv,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from forwardbench.results import Results

FORMATS: dict[str, Callable[[Results, pd.DataFrame], str]] = {
    "csv": tidy_csv.write,
    "markdown": markdown.write,
    "json": plain_json.write,
    "github-action-benchmark": github_action_benchmark.write,
    "pyperf": pyperf.write,
}
"""What writes each format: from results and their table to text that ends with one newline."""
