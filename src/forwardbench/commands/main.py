"""The command line. Data goes to stdout; progress, plans and errors go to stderr.

Each command imports heavy modules only when it runs, so ``--help`` and ``list`` answer at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from forwardbench import __version__
from forwardbench.commands.shared.exit_status import INTERRUPTED, USAGE
from forwardbench.commands.shared.screen import finish, prepare, say
from forwardbench.errors import UserError

COMMANDS = ("list", "verify", "run", "show", "chart", "report", "compare", "export")
"""Modules in this folder, with ``HELP``, ``add_arguments(parser)`` and ``run(options)``."""


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages have one line."""

    def error(self, message: str) -> NoReturn:
        say(f"forwardbench: {message} (see {self.prog} --help)")
        self.exit(USAGE)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser; in what it returns, ``command`` is the function to call."""
    parser = _Parser(
        prog="forwardbench",
        description="Measure how much faster forward propagation gets as its loops go away.",
    )
    parser.add_argument("--version", action="version", version=f"forwardbench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = import_module(f"forwardbench.commands.{name}")
        command = commands.add_parser(name, help=module.HELP)
        module.add_arguments(command)
        command.set_defaults(command=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    prepare()
    signal.signal(signal.SIGTERM, _end_on_signal)
    try:
        return finish(_run(arguments))
    except SystemExit as end:  # --help, a wrong argument, or a signal
        end.code = finish(int(end.code or 0))
        raise


def _run(arguments: Sequence[str] | None) -> int:
    """Run a command; what people can correct is said in one line."""
    options = make_parser().parse_args(arguments)
    try:
        _check_date()
        status: int = options.command(options)
    except UserError as error:
        say(f"forwardbench: {error}")
        return USAGE
    except KeyboardInterrupt:
        say("forwardbench: interrupted")
        return INTERRUPTED
    except OSError as error:
        name = f" {error.filename}:" if error.filename else ""
        say(f"forwardbench: cannot go on:{name} {error.strerror or error}")
        return USAGE
    return status


def _check_date() -> None:
    """Refuse a date in the environment that ends NumPy with a traceback; raises `UserError`."""
    date = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not date.isdecimal():
        raise UserError(f"SOURCE_DATE_EPOCH is {date!a}, which is no number of seconds: unset it")


def _end_on_signal(number: int, frame: object) -> NoReturn:
    """Exit with all clean-up, so that no child process is left running."""
    sys.exit(128 + number)
