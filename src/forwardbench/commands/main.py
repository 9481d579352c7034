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

from forwardbench.cases import parse_case
from forwardbench.commands.arguments import make_parser
from forwardbench.commands.exit_status import FAILED, GOOD, INTERRUPTED, REGRESSION, USAGE
from forwardbench.errors import UserError
from forwardbench.workloads.forward import SWEEPS

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from forwardbench.analysis.comparison import Comparison
    from forwardbench.commands.run import Wish
    from forwardbench.outputs.charts import View
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
    contenders = choose_contenders(options.implementation, options.workload)
    for verdict in verify_all(list(contenders.values()), workload=options.workload):
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
        workload=options.workload,
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
    from forwardbench.analysis.break_even import break_evens
    from forwardbench.commands import terminal

    loaded, table = _load_table(options)
    terminal.print_cells(table, terminal.make_console())
    terminal.print_break_evens(break_evens(loaded, table), terminal.make_console())
    sys.stdout.flush()
    for line in _doubts(options, loaded, table):
        _say(f"Warning: {line}")
    return GOOD


def _doubts(options: argparse.Namespace, loaded: Results, table: DataFrame) -> list[str]:
    from pathlib import Path

    from forwardbench.analysis.warnings import doubts_of

    run = Path(options.results)
    return doubts_of(loaded, table, run if (run / "run.json").is_file() else None)


def _chart(options: argparse.Namespace) -> int:
    from forwardbench.outputs import charts

    formats = [name.strip() for name in options.format.split(",")]
    for name in formats:
        if name not in charts.FORMATS:
            raise UserError(f"no format {name!r}: choose from {', '.join(charts.FORMATS)}")
    loaded, table = _load_table(options)
    folder = _beside(options, "charts")
    view = charts.View(options.x, charts.DARK if options.dark else charts.LIGHT)
    kinds = [kind for kind in options.kind if kind in charts.KINDS]
    files: list[Path] = []
    with _complaining_of(folder), charts.without_collecting():
        if kinds or not options.kind:
            files += charts.draw_all(table, folder, kinds or tuple(charts.KINDS), formats, view)
        if "break-even" in options.kind or not options.kind:
            files += _draw_break_evens(options, loaded, table, folder, formats, view)
        if "history" in options.kind or not options.kind:
            files += _draw_history(options, folder, formats, view)
    print(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _draw_break_evens(
    options: argparse.Namespace,
    loaded: Results,
    table: DataFrame,
    folder: Path,
    formats: Sequence[str],
    view: View,
) -> list[Path]:
    """The charts of first calls, where there are any; asked for without them it is an error."""
    from forwardbench.analysis.break_even import AGAINST, break_evens
    from forwardbench.outputs import charts

    view = charts.View(theme=view.theme)  # along its axis are calls, whatever was asked for
    drawn = list(charts.draw_break_evens(break_evens(loaded, table), view))
    if not drawn and "break-even" in options.kind:
        raise UserError(
            f"{options.results} has no first call that could be held against {AGAINST}: measure "
            f"both with forwardbench run --first-calls 3 --implementation {AGAINST} "
            "--implementation NAME"
        )
    return [file for each in drawn for file in charts.save(each, folder, formats, view)]


def _draw_history(
    options: argparse.Namespace, folder: Path, formats: Sequence[str], view: View
) -> list[Path]:
    """The chart over commits, where there are several; asked for without them it is an error."""
    from forwardbench import results
    from forwardbench.analysis.table import summarize
    from forwardbench.outputs import charts

    commits = results.load_history(options.results)
    if len(commits) < 2:
        if "history" in options.kind:
            raise UserError(
                f"{options.results} has one commit only: a history needs asv's results of two, as "
                "asv run HEAD~1..HEAD makes them"
            )
        return []
    tables = [summarize(each, options.baseline) for each in commits]
    drawn = charts.draw_history(tables, commits[0].origin.facts.get("intervals", ""), view)
    return list(charts.save(drawn, folder, formats, view))


def _report(options: argparse.Namespace) -> int:
    from forwardbench.outputs import charts

    with charts.without_collecting():
        return _write_report(options)


def _write_report(options: argparse.Namespace) -> int:
    from forwardbench import results
    from forwardbench.analysis.break_even import break_evens
    from forwardbench.analysis.table import summarize
    from forwardbench.outputs import charts
    from forwardbench.outputs.report import write_report

    loaded, table = _load_table(options)
    path = _beside(options, "report.html")
    drawn = [*charts.draw_sweeps(table), *charts.draw_break_evens(break_evens(loaded, table))]
    commits = results.load_history(options.results)
    if len(commits) > 1:
        tables = [summarize(each, options.baseline) for each in commits]
        drawn.append(charts.draw_history(tables, commits[0].origin.facts.get("intervals", "")))
    write_report(path, loaded, table, _doubts(options, loaded, table), drawn)
    print(f"Report: {path}")
    if options.charts:
        folder = path.parent / "charts"
        with _complaining_of(folder):
            files = [file for each in drawn for file in charts.save(each, folder)]
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
        _write_comparison(found, options)
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
    from forwardbench.analysis.comparison import NOT_COMPARABLE, broken, hidden, regressions

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
    if hidden(found) > limit:
        _say(
            f"Warning: the baseline itself may have moved by {hidden(found):.1%} between the two, "
            "so regressions below that are not shown: run both again, one after the other"
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


def _write_comparison(found: Comparison, options: argparse.Namespace) -> None:
    from pathlib import Path

    from forwardbench.files import write_whole
    from forwardbench.outputs import charts

    folder = Path(options.output)
    about = f"first: {options.before}; second: {options.after or 'the commit after it'}"
    with _complaining_of(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "comparison.csv", found.cells.to_csv(index=False))
        drawn = charts.draw_forests(found, about)
        files = [file for each in drawn for file in charts.save(each, folder)]
    print(f"Comparison: {folder} (comparison.csv and {len(files)} charts)")


def _export(options: argparse.Namespace) -> int:
    from pathlib import Path

    from forwardbench.files import write_whole
    from forwardbench.outputs.exports import FORMATS

    text = FORMATS[options.format](*_load_table(options))
    if options.output is None:
        sys.stdout.write(text)
        return GOOD
    with _complaining_of(Path(options.output)):
        write_whole(Path(options.output), text)
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


def _load_table(options: argparse.Namespace) -> tuple[Results, DataFrame]:
    from forwardbench import results
    from forwardbench.analysis.table import summarize

    loaded = results.load(options.results)
    return loaded, summarize(loaded, options.baseline)


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
