"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Container
from dataclasses import Field
from typing import Any

from forwardbench.errors import UserError
from forwardbench.files import check_name
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
    """Add RESULTS and ``--baseline``."""
    parser.add_argument("results", metavar="RESULTS", help=RESULTS)
    parser.add_argument(
        "--baseline", metavar="NAME", help="what speedups are relative to (default: the run's)"
    )


def add_output(parser: argparse.ArgumentParser, metavar: str, help_text: str) -> None:
    """Add ``--output``, which is refused at once if nothing can be called so."""

    def name(text: str) -> str:
        try:
            check_name("--output", text)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    parser.add_argument("--output", metavar=metavar, type=name, help=help_text)


def add_run_options(
    parser: argparse.ArgumentParser,
    only: Container[str] | None = None,
    **default_words: str,
) -> None:
    """Add the options of a run, or ``only`` some; ``default_words`` replace help's defaults."""
    for option_field in options_of(RunOptions):
        if only is None or option_field.name in only:
            help_text = help_of(option_field, default_words.get(option_field.name, "")).replace(
                "%", "%%"
            )
            _add_option(parser, option_field, help_text)


def _add_option(parser: argparse.ArgumentParser, option_field: Field[Any], help_text: str) -> None:
    add = parser.add_argument
    about = option_field.metadata["option"]
    if is_switch(option_field):
        add(flag_of(option_field), dest=option_field.name, action="store_true", help=help_text)
    elif is_list(option_field):
        add(
            flag_of(option_field), dest=option_field.name, action="append", default=[],
            metavar=about.metavar, type=about.reads, help=help_text,
        )  # fmt: skip
    else:
        add(
            flag_of(option_field),
            dest=option_field.name,
            metavar=about.metavar,
            type=about.reads,
            help=help_text,
        )


def run_options(options: argparse.Namespace) -> RunOptions:
    """The options of a run from parsed arguments; raises `UserError`."""
    names = [option_field.name for option_field in options_of(RunOptions)]
    return RunOptions.of(**{name: getattr(options, name) for name in names})
