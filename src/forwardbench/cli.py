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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from forwardbench import __version__
from forwardbench.cases import DTYPES, SWEEPS
from forwardbench.errors import UserError
from forwardbench.status import FAILED, GOOD, INTERRUPTED, REGRESSION, USAGE

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from forwardbench.charts import View
    from forwardbench.comparison import Comparison
    from forwardbench.results import Results

KINDS = ("time", "speedup", "cost", "heatmap", "samples", "history")
FORMATS = ("csv", "markdown", "json", "github-action-benchmark", "pyperf")
RESULTS = "a run's folder, a pytest-benchmark JSON file, or asv's results[@COMMIT]"


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"forwardbench: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _end_on_signal)
    options = _make_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
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


# --- arguments -------------------------------------------------------------------------


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="forwardbench",
        description="Measure how much faster forward propagation gets as its loops go away.",
    )
    parser.add_argument("--version", action="version", version=f"forwardbench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="name the implementations and the sweeps")
    command.set_defaults(command=_list)

    command = commands.add_parser("verify", help="check that implementations are right")
    _add_implementation(command)
    command.set_defaults(command=_verify)

    command = commands.add_parser("run", help="verify, measure, tabulate, chart and report")
    _add_implementation(command)
    _add_run_options(command)
    command.set_defaults(command=_run)

    command = commands.add_parser("show", help="print the table of a run")
    _add_results(command)
    command.set_defaults(command=_show)

    command = commands.add_parser("chart", help="draw the charts of a run")
    _add_results(command)
    _add_chart_options(command)
    command.set_defaults(command=_chart)

    command = commands.add_parser("report", help="write a run's report, one page of HTML")
    _add_results(command)
    command.add_argument(
        "--output", metavar="FILE", help="the page (default: report.html beside the results)"
    )
    command.add_argument(
        "--charts", action="store_true", help="draw charts/ beside the results again too"
    )
    command.set_defaults(command=_report)

    command = commands.add_parser("compare", help="say what differs between two runs")
    _add_compare_options(command)
    command.set_defaults(command=_compare)

    command = commands.add_parser("export", help="write a run's results for other tools")
    _add_results(command)
    command.add_argument(
        "--format", choices=FORMATS, default="csv", help="what to write (default: csv)"
    )
    command.add_argument("--output", metavar="FILE", help="where to (default: standard output)")
    command.set_defaults(command=_export)
    return parser


def _add_implementation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--implementation",
        metavar="NAME|FILE",
        action="append",
        default=[],
        help="an implementation by name or a .py file of your own; repeatable (default: all)",
    )


def _add_results(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", metavar="RESULTS", help=RESULTS)
    command.add_argument(
        "--baseline", metavar="NAME", help="what speedups are relative to (default: the run's)"
    )


def _add_chart_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--kind", choices=KINDS, action="append", default=[],
        help="which chart; repeatable (default: all that the results have)",
    )  # fmt: skip
    add(
        "--x", choices=("size", "batch", "multiply-adds"), default="size",
        help="what is along the horizontal axis (default: size, what grows in the sweep)",
    )  # fmt: skip
    add("--dark", action="store_true", help="for a dark background")
    add(
        "--format", metavar="LIST", default="svg,png",
        help="svg, png, pdf, separated by commas (default: svg,png)",
    )  # fmt: skip
    add("--output", metavar="DIR", help="a folder (default: charts/ beside the results)")


def _add_compare_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
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
    add("--output", metavar="DIR", help="write comparison.csv and forest charts there as well")


def _add_run_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--sweep", metavar="NAME", action="append", default=[],
        help=f"a list of cases: {', '.join(SWEEPS)}; repeatable (default: square and course)",
    )  # fmt: skip
    add(
        "--shape", metavar="CASE", action="append", default=[],
        help="a case of your own, as in 64x784-128-10; repeatable",
    )  # fmt: skip
    add("--baseline", metavar="NAME", help="what speedups are relative to (default: python_loops)")
    add(
        "--dtype", action="append", default=[], metavar="DTYPE",
        help=f"{' or '.join(DTYPES)}; repeatable (default: float64)",
    )  # fmt: skip
    add(
        "--threads", action="append", default=[], metavar="N|all",
        help="threads and CPUs of a worker; repeatable (default: 1)",
    )  # fmt: skip
    add("--passes", type=int, metavar="N", help="passes over all cells (default: 10)")
    add(
        "--limit", type=float, metavar="SECONDS",
        help="longest single call worth measuring; above it a cell is estimated (default: 1)",
    )  # fmt: skip
    add(
        "--precision", type=float, metavar="SHARE",
        help="go on until each speedup is known so well, as in 0.02 for 2 percent",
    )  # fmt: skip
    add(
        "--max-time", type=float, metavar="SECONDS",
        help="begin no pass that would end later (default with --precision: 300)",
    )  # fmt: skip
    add("--quick", action="store_true", help="3 passes and a limit of 0.05 s, unless given")
    add("--output", metavar="DIR", help="a new folder (default: results/run-DATE-TIME)")
    add(
        "--resume", metavar="DIR",
        help="go on with a run that was interrupted; with --passes or --precision, add to one",
    )  # fmt: skip


def _share(text: str) -> float:
    """Read `5%` or `0.05`; raises what argparse understands."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < (10 if text.endswith("%") else 1):  # 5 would be 500 %
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: write 5% or 0.05")
    return share


# --- commands --------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from forwardbench import implementations

    print("Implementations (run, verify: --implementation NAME)")
    for name in implementations.names():
        description = implementations.describe(name)
        print(f"  {name:16}  {description.summary}")
        if description.missing:
            print(f"  {'':16}  unavailable: {description.missing}")
    print("\nSweeps (run: --sweep NAME)")
    for sweep in SWEEPS.values():
        print(f"  {sweep.name:16}  {sweep.summary}: {len(sweep.cases)} cases")
    return GOOD


def _verify(options: argparse.Namespace) -> int:
    from forwardbench.job import is_bad, verdict_line
    from forwardbench.measure.request import choose_contenders
    from forwardbench.verify import verify_all

    worst = GOOD
    for verdict in verify_all(list(choose_contenders(options.implementation).values())):
        print(verdict_line(verdict), flush=True)
        if is_bad(verdict, options.implementation):
            worst = FAILED
    return worst


def _run(options: argparse.Namespace) -> int:
    from forwardbench import job

    wish = job.Wish(
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
        quick=options.quick,
        output=options.output,
    )
    if options.resume is None:
        folder, request = job.begin(wish)
    else:
        _refuse_new_wishes(options)
        folder, request = job.resume(options.resume, wish)
    return job.carry_out(folder, request, options.implementation)


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
    from forwardbench import terminal

    loaded, table = _load_table(options)
    terminal.print_cells(table, terminal.make_console())
    sys.stdout.flush()
    for line in _doubts(options, loaded, table):
        _say(f"Warning: {line}")
    return GOOD


def _doubts(options: argparse.Namespace, loaded: Results, table: DataFrame) -> list[str]:
    from pathlib import Path

    from forwardbench.doubts import doubts

    run = Path(options.results)
    return doubts(table, loaded.circumstances, run if (run / "run.json").is_file() else None)


def _chart(options: argparse.Namespace) -> int:
    from forwardbench import charts

    formats = [name.strip() for name in options.format.split(",")]
    for name in formats:
        if name not in charts.FORMATS:
            raise UserError(f"no format {name!r}: choose from {', '.join(charts.FORMATS)}")
    _, table = _load_table(options)
    folder = _beside(options, "charts")
    view = charts.View(options.x, charts.DARK if options.dark else charts.LIGHT)
    kinds = [kind for kind in options.kind if kind != "history"]
    files: list[Path] = []
    with _complaining_of(folder), charts.without_collecting():
        if kinds or not options.kind:
            files += charts.draw_all(table, folder, kinds or tuple(charts.KINDS), formats, view)
        if "history" in options.kind or not options.kind:
            files += _draw_history(options, folder, formats, view)
    print(f"Charts: {folder} ({len(files)} files)")
    return GOOD


def _draw_history(
    options: argparse.Namespace, folder: Path, formats: Sequence[str], view: View
) -> list[Path]:
    """The chart over commits, where there are several; asked for without them it is an error."""
    from forwardbench import analysis, charts, results

    commits = results.load_history(options.results)
    if len(commits) < 2:
        if "history" in options.kind:
            raise UserError(
                f"{options.results} has one commit only: a history needs asv's results of two, as "
                "asv run HEAD~1..HEAD makes them"
            )
        return []
    tables = [analysis.summarize(each, options.baseline) for each in commits]
    drawn = charts.draw_history(tables, commits[0].origin.facts.get("intervals", ""), view)
    return list(charts.save(drawn, folder, formats, view))


def _report(options: argparse.Namespace) -> int:
    from forwardbench import charts

    with charts.without_collecting():
        return _write_report(options)


def _write_report(options: argparse.Namespace) -> int:
    from forwardbench import analysis, charts, results
    from forwardbench.report import write_report

    loaded, table = _load_table(options)
    path = _beside(options, "report.html")
    drawn = list(charts.draw_sweeps(table))
    commits = results.load_history(options.results)
    if len(commits) > 1:
        tables = [analysis.summarize(each, options.baseline) for each in commits]
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
    from forwardbench import comparison, terminal

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
        return results.load(options.before), results.load(options.after)
    commits = results.load_history(options.before)
    if len(commits) < 2:
        raise UserError(
            f"{options.before} has one commit only, so there is nothing to compare: give a second "
            "run, file or RESULTS@COMMIT"
        )
    return commits[-2], commits[-1]


def _judge(found: Comparison, limit: float) -> int:
    """The status of a comparison that was asked to fail on regressions."""
    from forwardbench.comparison import NOT_COMPARABLE, broken, hidden, regressions

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

    from forwardbench import charts
    from forwardbench.files import write_whole

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

    from forwardbench.exports import FORMATS
    from forwardbench.files import write_whole

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
    from forwardbench import analysis, results

    loaded = results.load(options.results)
    return loaded, analysis.summarize(loaded, options.baseline)
