"""The command line. Data goes to stdout; progress, plans and complaints go to stderr.

Heavy modules are imported by the commands that need them, so that ``--help`` and ``list``
answer at once.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from forwardbench.cases import SWEEPS, parse_case
from forwardbench.commands.arguments import make_parser
from forwardbench.commands.exit_status import FAILED, GOOD, INTERRUPTED, REGRESSION, USAGE
from forwardbench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from forwardbench.analysis.comparison import Comparison
    from forwardbench.commands.run import Wish
    from forwardbench.outputs.bundle import Bundle
    from forwardbench.results import Results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _end_on_signal)
    options = make_parser().parse_args(arguments)
    try:
        status = _COMMANDS[options.command](options)
        sys.stdout.flush()
    except UserError as error:
        _say(f"forwardbench: {error}")
        return USAGE
    except KeyboardInterrupt:
        _say("forwardbench: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, head for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        _say(f"forwardbench: cannot go on:{name}: {error.strerror}")
        return USAGE
    return status


def _end_on_signal(number: int, frame: object) -> NoReturn:
    """Leave by way of every clean-up, so that no child process stays behind."""
    sys.exit(128 + number)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# --- commands --------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from forwardbench import implementations

    print("Implementations (run, verify: --implementation NAME)")
    for name in implementations.names():
        description = implementations.describe(name)
        print(f"  {name:17}  {description.summary}")
        if description.missing:
            print(f"  {'':17}  unavailable: {description.missing}")
    print("\nSweeps (run: --sweep NAME)")
    for sweep in SWEEPS.values():
        print(f"  {sweep.name:17}  {sweep.summary}: {len(sweep.cases)} cases")
    return GOOD


def _verify(options: argparse.Namespace) -> int:
    from forwardbench.commands.run import is_bad, verdict_line
    from forwardbench.measure.request import choose_contenders
    from forwardbench.verification.verify import verify_all

    if options.scheduler is not None or options.shape is not None:
        return _verify_large_batch(options)
    worst = GOOD
    for verdict in verify_all(list(choose_contenders(options.implementation).values())):
        print(verdict_line(verdict), flush=True)
        if is_bad(verdict, options.implementation):
            worst = FAILED
    return worst


def _verify_large_batch(options: argparse.Namespace) -> int:
    from forwardbench.cluster import large_batch

    if options.scheduler is None or options.shape is None:
        given, other = ("shape", "scheduler") if options.shape else ("scheduler", "shape")
        raise UserError(f"verify --{given} needs --{other} too: the one says where, the other what")
    if options.implementation != [large_batch.RUNG]:
        raise UserError(
            f"--scheduler is for {large_batch.RUNG}, whose batches may be larger than memory: add "
            f"--implementation {large_batch.RUNG} and no other"
        )
    case = parse_case(options.shape)
    try:
        checked = large_batch.check_large_batch(options.scheduler, case)
    except large_batch.WrongBatchError as error:
        print(f"{large_batch.RUNG:17}  failed       {error}")
        return FAILED
    print(large_batch.line(case, checked))
    return GOOD


def _run(options: argparse.Namespace) -> int:
    from forwardbench.commands import run

    wish = run.Wish(
        sweeps=options.sweep,
        shapes=options.shape,
        implementations=options.implementation,
        baseline=options.baseline,
        dtypes=options.dtype,
        threads=options.threads,
        passes=options.passes,
        limit=options.limit,
        precision=options.precision,
        max_time=options.max_time,
        first_calls=options.first_calls,
        quick=options.quick,
        output=options.output,
    )
    if options.scheduler is not None:
        return _run_on_hosts(options, wish)
    if options.resume is None:
        folder, request = run.begin(wish)
    else:
        _refuse_new_wishes(options)
        folder, request = run.resume(options.resume, wish)
    return run.carry_out(folder, request, options.implementation)


def _run_on_hosts(options: argparse.Namespace, wish: Wish) -> int:
    from forwardbench.cluster import hosts

    if options.resume is not None:
        raise UserError(
            "--resume goes on with a run of this machine: leave out --scheduler, or start a new run"
        )
    return hosts.run_on_hosts(options.scheduler, wish)


def _refuse_new_wishes(options: argparse.Namespace) -> None:
    for name in ("sweep", "shape", "implementation", "baseline", "dtype", "threads",
                 "limit", "quick", "output"):  # fmt: skip
        given = getattr(options, name)
        if given is not None and given is not False and given != []:
            raise UserError(
                f"--resume goes on with what the run was asked for: leave out --{name}, or start "
                "a new run"
            )


def _show(options: argparse.Namespace) -> int:
    from forwardbench.commands import terminal

    bundle = _load(options)
    console = terminal.make_console()
    terminal.print_cells(bundle.table, bundle.evidence, console)
    terminal.print_break_evens(bundle.break_evens, console)
    sys.stdout.flush()
    for line in bundle.warnings:
        _say(f"Warning: {line}")
    return GOOD


def _chart(options: argparse.Namespace) -> int:
    from forwardbench.outputs import pictures
    from forwardbench.outputs.charts.drawing.view import DARK, LIGHT, View

    formats = [name.strip() for name in options.format.split(",")]
    for name in formats:
        if name not in pictures.FORMATS:
            raise UserError(f"no format {name!r}: choose from {', '.join(pictures.FORMATS)}")
    bundle = _load(options)
    folder = _beside(options, "charts")
    view = View(options.x, DARK if options.dark else LIGHT)
    _refuse_absent_kinds(options, bundle)
    files: list[Path] = []
    with _complaining_of(folder), pictures.without_garbage_collection():
        for drawn in pictures.draw_all(bundle, options.kind, view):
            files += pictures.save(drawn, folder, formats)
    print(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _refuse_absent_kinds(options: argparse.Namespace, bundle: Bundle) -> None:
    """Raise `UserError` for a chart that was asked for and of which the results have nothing."""
    from forwardbench.outputs.bundle import PARTS
    from forwardbench.outputs.catalogue import chart_entries

    for entry in chart_entries():
        lacking = entry.declared.get("LACKING")
        if (
            entry.name in options.kind
            and lacking
            and not any(True for _ in PARTS[entry.needs](bundle))
        ):
            raise UserError(f"{options.results} {lacking}")


def _report(options: argparse.Namespace) -> int:
    from forwardbench.outputs import pictures
    from forwardbench.outputs.exports import html
    from forwardbench.outputs.text import write_text

    bundle = _load(options)
    path = _beside(options, html.FILE)
    with pictures.without_garbage_collection():
        write_text(path, html.write(bundle))
        print(f"Report: {path}")
        if options.charts:
            folder = path.parent / "charts"
            with _complaining_of(folder):
                drawn = pictures.pictures_of(bundle)
                files = [file for each in drawn for file in pictures.save(each, folder)]
            print(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _compare(options: argparse.Namespace) -> int:
    from forwardbench.analysis import comparison
    from forwardbench.commands import terminal

    before, after = _load_two(options)
    if options.seconds:
        if options.baseline:
            raise UserError("--seconds compares without a baseline: leave one of the two out")
        found = comparison.compare_seconds(before, after)
    else:
        found = comparison.compare(before, after, options.baseline)
    terminal.print_comparison(found, terminal.make_console())
    if options.output:
        _write_comparison(found, after, options)
    sys.stdout.flush()
    return GOOD if options.fail_on_regression is None else _judge(found, options.fail_on_regression)


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


def _judge(found: Comparison, limit: float) -> int:
    """The status of a comparison that was asked to fail on regressions."""
    from forwardbench.analysis.comparison import (
        NOT_COMPARABLE,
        baseline_change_limit,
        broken,
        regressions,
    )

    if (found.cells["verdict"] == NOT_COMPARABLE).all():
        _say("forwardbench: nothing could be compared, so no regression can be excluded")
        return FAILED
    worse = regressions(found, limit)
    for _, row in worse.iterrows():
        _say(
            f"Regression: {row['implementation']} at {row['case']} ({row['dtype']}, threads: "
            f"{row['threads']}) takes {1 / row['ratio']:.3g} times as long, at least "
            f"{1 / row['ratio_high']:.3g}"
        )
    baseline_change = baseline_change_limit(found)
    if baseline_change > limit:
        _say(
            f"Warning: the baseline itself may have moved by {baseline_change:.1%} between the "
            "two, so regressions below that are not shown: run both again, one after the other"
        )
    others = found.cells[found.cells["implementation"] != found.relative_to]
    unjudged = int((others["verdict"] == NOT_COMPARABLE).sum())
    if unjudged:
        _say(f"Not judged: {unjudged} of {len(others)} cells, for the reasons above")
    failed = broken(found)
    for _, row in failed.iterrows():
        _say(f"Broken: {row['implementation']} at {row['case']}: {row['reason']}")
    if len(worse):
        return REGRESSION
    return FAILED if len(failed) else GOOD


def _write_comparison(found: Comparison, after: Results, options: argparse.Namespace) -> None:
    from pathlib import Path

    from forwardbench.files import write_whole
    from forwardbench.outputs import pictures
    from forwardbench.outputs.bundle import Bundle
    from forwardbench.outputs.text import as_csv

    folder = Path(options.output)
    sides = f"first: {options.before}; second: {options.after or 'the commit after it'}"
    bundle = Bundle(after, comparison=found, sides=sides)
    with _complaining_of(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "comparison.csv", as_csv(found.cells))
        drawn = pictures.draw_all(bundle, ["forest"])
        files = [file for each in drawn for file in pictures.save(each, folder)]
    print(f"Comparison: {folder} (comparison.csv and {len(files)} charts)")


def _export(options: argparse.Namespace) -> int:
    from pathlib import Path

    from forwardbench.outputs.catalogue import export_entries
    from forwardbench.outputs.text import write_text

    (entry,) = [each for each in export_entries() if each.name == options.format]
    text = entry.load().write(_load(options))
    if options.output is None:
        sys.stdout.write(text)
        return GOOD
    write_text(Path(options.output), text)
    _say(f"Written: {options.output}")
    return GOOD


@contextmanager
def _complaining_of(path: Path) -> Iterator[None]:
    """Say in one line what cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _beside(options: argparse.Namespace, name: str) -> Path:
    """Where a command's output goes: as asked, or beside the results."""
    from pathlib import Path

    from forwardbench.results import split_commit

    if options.output:
        return Path(options.output)
    results, _ = split_commit(options.results)
    return (results if results.is_dir() else results.parent) / name


def _load(options: argparse.Namespace) -> Bundle:
    """What there is of the results that a command was given."""
    from forwardbench.outputs import bundle

    return bundle.load(options.results, options.baseline)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "verify": _verify,
    "run": _run,
    "show": _show,
    "chart": _chart,
    "report": _report,
    "compare": _compare,
    "export": _export,
}
