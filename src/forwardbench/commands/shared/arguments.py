"""Arguments that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Container
from dataclasses import Field
from typing import Any

from forwardbench.measure.run_options import (
    RunOptions,
    flag_of,
    help_of,
    is_list,
    is_switch,
    options_of,
)

RESULTS = (
    "a run's folder, a folder of them, a pytest-benchmark JSON file, or asv's results[@COMMIT]"
)


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add RESULTS, and what their speedups are to be relative to."""
    parser.add_argument("results", metavar="RESULTS", help=RESULTS)
    parser.add_argument(
        "--baseline", metavar="NAME", help="what speedups are relative to (default: the run's)"
    )


def add_run_options(
    parser: argparse.ArgumentParser,
    only: Container[str] | None = None,
    **default_words: str,
) -> None:
    """Add the options of a run, or some of them; ``default_words`` are other defaults, by name."""
    for each in options_of(RunOptions):
        if only is None or each.name in only:
            help_text = help_of(each, default_words.get(each.name, "")).replace("%", "%%")
            _add_option(parser, each, help_text)


def _add_option(parser: argparse.ArgumentParser, each: Field[Any], help_text: str) -> None:
    add = parser.add_argument
    about = each.metadata["option"]
    if is_switch(each):
        add(flag_of(each), dest=each.name, action="store_true", help=help_text)
    elif is_list(each):
        add(
            flag_of(each), dest=each.name, action="append", default=[], metavar=about.metavar,
            type=about.reads, help=help_text,
        )  # fmt: skip
    else:
        add(flag_of(each), dest=each.name, metavar=about.metavar, type=about.reads, help=help_text)


def run_options(options: argparse.Namespace) -> RunOptions:
    """What the arguments of `add_run_options` ask for; raises `UserError`."""
    names = [each.name for each in options_of(RunOptions)]
    return RunOptions.of(**{name: getattr(options, name) for name in names})
