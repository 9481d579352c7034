"""`forwardbench compare`: what differs between two runs, and whether that is significant."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from forwardbench.commands.shared.arguments import RESULTS, add_output
from forwardbench.commands.shared.exit_status import FAILED, GOOD, REGRESSION
from forwardbench.commands.shared.screen import print_line, say
from forwardbench.commands.shared.sources import writing
from forwardbench.errors import UserError, one_line

if TYPE_CHECKING:
    from forwardbench.analysis.comparison import Comparison
    from forwardbench.results import Results

HELP = "say what differs between two runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two results, how to compare them, and what counts as a failure."""
    add = parser.add_argument
    add("before", metavar="A", help=RESULTS)
    add("after", metavar="B", nargs="?", help="the same; asv's last two commits if left out")
    add(
        "--baseline", metavar="NAME",
        help="what times are taken relative to, in the same pass (default: the first run's)",
    )  # fmt: skip
    add(
        "--seconds", action="store_true",
        help="compare seconds instead, which differ where the machine did",
    )  # fmt: skip
    add(
        "--fail-on-regression", metavar="SHARE", type=_share,
        help="status 3 if a cell is shown to take longer by more than this, as in 5%%",
    )  # fmt: skip
    add_output(parser, "DIR", "write comparison.csv and forest charts there as well")


def _share(text: str) -> float:
    """Read `5%` or `0.05`; raises `ArgumentTypeError` for anything else."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < (10 if text.endswith("%") else 1):  # 5 would be 500 %
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: write 5% or 0.05")
    return share


def run(options: argparse.Namespace) -> int:
    """Print what differs; with ``--fail-on-regression`` the status reports regressions."""
    from forwardbench.analysis import comparison
    from forwardbench.commands.shared import terminal

    before, after = _load_two(options)
    if options.seconds:
        if options.baseline:
            raise UserError("--seconds compares without a baseline: leave one of the two out")
        compared = comparison.compare_seconds(before, after)
    else:
        compared = comparison.compare(before, after, options.baseline)
    terminal.print_comparison(compared, terminal.make_console())
    if options.output:
        _write_comparison(compared, after, options)
    if options.fail_on_regression is None:
        return GOOD
    return _judge(compared, options.fail_on_regression)


def _load_two(options: argparse.Namespace) -> tuple[Results, Results]:
    from forwardbench import results

    if options.after is not None:
        both = results.load(options.before), results.load(options.after)
        for given, loaded in zip((options.before, options.after), both, strict=True):
            if loaded.parts:
                raise UserError(
                    f"{given} holds runs of several machines: compare one of them, such as "
                    f"{given}/{loaded.parts[0].host}"
                )
        return both
    commits = results.load_history(options.before)
    if len(commits) < 2:
        raise UserError(
            f"{options.before} has one commit only, so there is nothing to compare: give a second "
            "run, file or RESULTS@COMMIT"
        )
    return commits[-2], commits[-1]


def _judge(compared: Comparison, limit: float) -> int:
    """The exit status of a comparison with ``--fail-on-regression``."""
    from forwardbench.analysis.comparison import (
        NOT_COMPARABLE,
        baseline_change_limit,
        broken,
        regressions,
    )

    if (compared.cells["verdict"] == NOT_COMPARABLE).all():
        say("forwardbench: nothing could be compared, so no regression can be excluded")
        return FAILED
    worse = regressions(compared, limit)
    for _, row in worse.iterrows():
        say(
            f"Regression: {row['implementation']} at {row['case']} ({row['dtype']}, threads: "
            f"{row['threads']}) takes {1 / row['ratio']:.3g} times as long, at least "
            f"{1 / row['ratio_high']:.3g}"
        )
    baseline_change = baseline_change_limit(compared)
    if baseline_change > limit:
        say(
            f"Warning: the baseline itself may have moved by {baseline_change:.1%} between the "
            "two, so regressions below that are not shown: run both again, one after the other"
        )
    others = compared.cells[compared.cells["implementation"] != compared.relative_to]
    unjudged = int((others["verdict"] == NOT_COMPARABLE).sum())
    if unjudged:
        say(f"Not judged: {unjudged} of {len(others)} cells, for the reasons above")
    failed = broken(compared)
    for _, row in failed.iterrows():
        say(f"Broken: {row['implementation']} at {row['case']}: {row['reason']}")
    if len(worse):
        return REGRESSION
    return FAILED if len(failed) else GOOD


def _write_comparison(compared: Comparison, after: Results, options: argparse.Namespace) -> None:
    from forwardbench.files import write_whole
    from forwardbench.outputs import pictures
    from forwardbench.outputs.bundle import Bundle
    from forwardbench.outputs.text import as_csv

    folder = Path(options.output)
    after_words = options.after or "the commit after it"
    sides = f"first: {one_line(options.before)}; second: {one_line(after_words)}"
    bundle = Bundle(after, comparison=compared, sides=sides)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "comparison.csv", as_csv(compared.cells))
        drawn = list(pictures.draw_all(bundle, ["forest"]))
        files = pictures.save_all(drawn, folder)
    print_line(f"Comparison: {folder} (comparison.csv and {len(files)} charts)")
