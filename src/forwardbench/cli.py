"""The command line. Data goes to stdout; progress, plans and complaints go to stderr.

Exit status: 0 good, 1 something failed or was rejected, 2 usage or unreadable input.
Heavy modules are imported by the commands that need them, so that ``--help`` and ``list``
answer at once.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from forwardbench import __version__
from forwardbench.cases import DTYPES, SWEEPS
from forwardbench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from forwardbench.measure.folder import RunFolder
    from forwardbench.measure.plan import Plan
    from forwardbench.measure.request import Request
    from forwardbench.results import Results
    from forwardbench.verify import Verdict

GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


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

    command = commands.add_parser("run", help="verify, measure, tabulate and chart")
    _add_implementation(command)
    _add_run_options(command)
    command.set_defaults(command=_run)

    command = commands.add_parser("show", help="print the table of a run")
    _add_results(command)
    command.set_defaults(command=_show)

    command = commands.add_parser("chart", help="draw the charts of a run")
    _add_results(command)
    command.add_argument(
        "--output",
        metavar="DIR",
        help="folder for the charts (default: charts/ beside the results)",
    )
    command.set_defaults(command=_chart)
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
    command.add_argument("results", help="a run's folder, or a pytest-benchmark JSON file")
    command.add_argument(
        "--baseline", metavar="NAME", help="what speedups are relative to (default: the run's)"
    )


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
    from forwardbench.measure.request import choose_contenders
    from forwardbench.verify import verify_all

    worst = GOOD
    for verdict in verify_all(list(choose_contenders(options.implementation).values())):
        print(_verdict_line(verdict), flush=True)
        if _is_bad(verdict, options.implementation):
            worst = FAILED
    return worst


def _is_bad(verdict: Verdict, asked_for: Sequence[str]) -> bool:
    """Tell trouble from a framework that is not installed and was not asked for by name."""
    return verdict.status in ("failed", "rejected") or (
        verdict.status == "unavailable" and bool(asked_for)
    )


def _verdict_line(verdict: Verdict) -> str:
    if verdict.status == "verified":
        found = f"{verdict.checks} checks, errors at most {verdict.share:.0%} of their bounds"
    else:
        found = verdict.reason
    return f"{verdict.implementation:16}  {verdict.status:11}  {found}"


def _run(options: argparse.Namespace) -> int:
    from forwardbench.measure.run import measure_passes
    from forwardbench.progress import Progress, announce

    folder, request = _begin(options) if options.resume is None else _resume(options)
    try:
        plan = _plan(folder, request, options)
    except KeyboardInterrupt:
        return _interrupted(folder)
    done = len(folder.finished_passes().numbers)
    if not plan.measured:
        _say(f"Nothing is left to measure; why is in {folder.path}/run.json")
        return FAILED
    for line in announce(request, plan, done):
        _say(line)
    interrupted = False
    with Progress(request.passes) as progress:
        try:
            measure_passes(folder, request, plan, progress)
        except KeyboardInterrupt:
            interrupted = True
    try:
        status = _conclude(folder, request)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        return _interrupted(folder)
    _say_what_is_left(folder, request, plan)
    return FAILED if _has_bad_verdicts(folder, options.implementation) else status


def _interrupted(folder: RunFolder) -> int:
    _say(f"forwardbench: interrupted; go on with: forwardbench run --resume {folder.path}")
    return INTERRUPTED


def _begin(options: argparse.Namespace) -> tuple[RunFolder, Request]:
    """Check what is asked for, and make a new run's folder."""
    from datetime import datetime
    from pathlib import Path

    from forwardbench.measure.folder import claim_folder
    from forwardbench.measure.request import make_request

    request = make_request(
        sweeps=options.sweep,
        shapes=options.shape,
        chosen=options.implementation,
        baseline=options.baseline,
        dtypes=options.dtype,
        threads=options.threads,
        passes=(3 if options.quick else 10) if options.passes is None else options.passes,
        limit=(0.05 if options.quick else 1.0) if options.limit is None else options.limit,
        precision=options.precision,
        max_time=options.max_time,
    )
    default = f"results/run-{datetime.now():%Y%m%d-%H%M%S}"
    if options.baseline is None and options.implementation:
        _say(f"The baseline is {request.baseline}")
    output = default if options.output is None else options.output
    return claim_folder(Path(output), request), request


def _resume(options: argparse.Namespace) -> tuple[RunFolder, Request]:
    """Take up a run again; only how long to measure may change."""
    from pathlib import Path

    from forwardbench.measure.folder import resume_folder
    from forwardbench.measure.request import with_effort

    for name in ("sweep", "shape", "implementation", "baseline", "dtype", "threads",
                 "limit", "quick", "output"):  # fmt: skip
        given = getattr(options, name)
        if given is not None and given is not False and given != []:
            raise UserError(
                f"--resume goes on with what the run was asked for: leave out --{name}, or start "
                "a new run"
            )
    folder = resume_folder(Path(options.resume))
    request = with_effort(folder.request, options.passes, options.precision, options.max_time)
    folder.change_request(request)
    return folder, request


def _plan(folder: RunFolder, request: Request, options: argparse.Namespace) -> Plan:
    """Verify and plan, unless that was done before the run was interrupted."""
    from forwardbench.measure.plan import make_plan
    from forwardbench.verify import verify_all

    if folder.is_planned:
        return folder.plan
    verdicts = {}
    start = time.monotonic()
    for verdict in verify_all(list(request.contenders.values())):
        verdicts[verdict.implementation] = verdict
        _say(_verdict_line(verdict))
    verified = time.monotonic()
    plan = make_plan(request, verdicts)
    spent = {"verification": verified - start, "planning": time.monotonic() - verified}
    folder.record_plan(verdicts, plan, spent)
    return plan


def _has_bad_verdicts(folder: RunFolder, asked_for: Sequence[str]) -> bool:
    return any(_is_bad(verdict, asked_for) for verdict in folder.verdicts)


def _conclude(folder: RunFolder, request: Request) -> int:
    """Make the table and the charts of a run, print what it found, and say where it is."""
    from forwardbench import analysis, results, terminal

    path, finished = folder.path, len(folder.finished_passes().numbers)
    if finished < request.passes:
        _say(f"The run ended after {finished} of {request.passes} passes")
    if not finished:
        _say(f"No pass was finished; what was verified and planned is in {path}/run.json")
        return FAILED
    loaded = results.load(path)
    table = analysis.summarize(loaded)
    results.write_table(table, path / "table.csv")
    console = terminal.make_console()
    terminal.print_summary(table, console)
    charts = _draw(table, path / "charts")
    for line in (f"Charts: {path}/charts ({charts} files)", f"Table:  {path}/table.csv"):
        print(line)
    print(f"Every cell with its interval: forwardbench show {path}", flush=True)
    _say_doubts(loaded, table, path)
    measured = table["status"] == "measured"
    bad = table["status"].isin(["failed", "rejected"]) | (measured & ~analysis.is_credible(table))
    return FAILED if bad.any() else GOOD


def _say_what_is_left(folder: RunFolder, request: Request, plan: Plan) -> None:
    """Where the time was up before the passes or the precision asked for, say so."""
    from forwardbench.measure.run import cells_left

    left = cells_left(folder, request, plan)
    if left and request.max_time is not None:
        wanted = "passes" if request.precision is None else f"the precision {request.precision:g}"
        _say(
            f"Warning: {request.max_time:g} s were over before {left} of {len(plan.measured)} "
            f"cells had {wanted}: forwardbench run --resume {folder.path} --max-time SECONDS"
        )


def _say_doubts(loaded: Results, table: DataFrame, path: Path) -> None:
    """Print, last and on stderr, what speaks against the figures."""
    from forwardbench.doubts import doubts

    for line in doubts(table, loaded.circumstances, path if path.is_dir() else None):
        _say(f"Warning: {line}")


def _show(options: argparse.Namespace) -> int:
    from pathlib import Path

    from forwardbench import terminal

    loaded, table = _load_table(options)
    terminal.print_cells(table, terminal.make_console())
    sys.stdout.flush()
    _say_doubts(loaded, table, Path(options.results))
    return GOOD


def _chart(options: argparse.Namespace) -> int:
    from pathlib import Path

    _, table = _load_table(options)
    results = Path(options.results)
    beside = results if results.is_dir() else results.parent
    folder = Path(options.output) if options.output else beside / "charts"
    print(f"Charts: {folder} ({_draw(table, folder)} files)")
    return GOOD


def _draw(table: DataFrame, folder: Path) -> int:
    """Draw all charts and return how many files that made."""
    from forwardbench.charts import draw_all

    try:
        return sum(1 for _ in draw_all(table, folder))
    except OSError as error:
        raise UserError(f"cannot write charts to {folder}: {error.strerror}") from None


def _load_table(options: argparse.Namespace) -> tuple[Results, DataFrame]:
    from forwardbench import analysis, results

    loaded = results.load(options.results)
    names = sorted(set(loaded.cells.loc[loaded.cells["control_of"] == "", "implementation"]))
    if options.baseline is not None and options.baseline not in names:
        raise UserError(f"no baseline {options.baseline!r} there: choose from {', '.join(names)}")
    return loaded, analysis.summarize(loaded, options.baseline)
