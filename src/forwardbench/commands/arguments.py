"""The command line's arguments: names, defaults and help of every option."""

from __future__ import annotations

import argparse
from typing import NoReturn

from forwardbench import __version__
from forwardbench.cases import DTYPES
from forwardbench.commands.exit_status import USAGE
from forwardbench.outputs.catalogue import chart_entries, export_entries
from forwardbench.records import DEFAULT_WORKLOAD
from forwardbench.workloads.forward import SWEEPS

RESULTS = (
    "a run's folder, a folder of them, a pytest-benchmark JSON file, or asv's results[@COMMIT]"
)


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"forwardbench: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """A parser whose options have ``command``, the name of the command."""
    parser = _Parser(
        prog="forwardbench",
        description="Measure how much faster forward propagation gets as its loops go away.",
    )
    parser.add_argument("--version", action="version", version=f"forwardbench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="name the implementations and the sweeps")
    command.set_defaults(command="list")

    command = commands.add_parser("verify", help="check that implementations are right")
    _add_implementation(command)
    _add_large_batch_options(command)
    command.set_defaults(command="verify")

    command = commands.add_parser("run", help="verify, measure, tabulate, chart and report")
    _add_implementation(command)
    _add_run_options(command)
    command.set_defaults(command="run")

    command = commands.add_parser("show", help="print the table of a run")
    _add_results(command)
    command.set_defaults(command="show")

    command = commands.add_parser("chart", help="draw the charts of a run")
    _add_results(command)
    _add_chart_options(command)
    command.set_defaults(command="chart")

    command = commands.add_parser("report", help="write a run's report, one page of HTML")
    _add_results(command)
    command.add_argument(
        "--output", metavar="FILE", help="the page (default: report.html beside the results)"
    )
    command.add_argument(
        "--charts", action="store_true", help="draw charts/ beside the results again too"
    )
    command.set_defaults(command="report")

    command = commands.add_parser("compare", help="say what differs between two runs")
    _add_compare_options(command)
    command.set_defaults(command="compare")

    command = commands.add_parser("export", help="write a run's results for other tools")
    _add_results(command)
    command.add_argument(
        "--format",
        choices=[entry.name for entry in export_entries()],
        default="csv",
        help="what to write (default: csv)",
    )
    command.add_argument("--output", metavar="FILE", help="where to (default: standard output)")
    command.set_defaults(command="export")
    return parser


def _add_implementation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--implementation",
        metavar="NAME|FILE",
        action="append",
        default=[],
        help="an implementation by name or a .py file of your own; repeatable (default: all)",
    )

    command.add_argument("--workload", default=DEFAULT_WORKLOAD, metavar="NAME")


def _add_large_batch_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--scheduler", metavar="ADDRESS",
        help="check dask_array on a Dask cluster, at tcp://HOST:PORT, with the batch of --shape",
    )  # fmt: skip
    add("--shape", metavar="CASE", help="a case whose batch may be larger than the memory there")


def _add_results(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", metavar="RESULTS", help=RESULTS)
    command.add_argument(
        "--baseline", metavar="NAME", help="what speedups are relative to (default: the run's)"
    )


def _add_chart_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--kind", choices=_kinds(), action="append", default=[],
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


def _kinds() -> list[str]:
    """The charts that results alone can have."""
    return [entry.name for entry in chart_entries() if entry.needs != "comparison"]


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
    add(
        "--first-calls", type=int, metavar="N",
        help="time the first call of what compiles in N fresh processes a cell (default: 3)",
    )  # fmt: skip
    add(
        "--quick", action="store_true",
        help="3 passes, a limit of 0.05 s and no first calls, unless given",
    )  # fmt: skip
    add("--output", metavar="DIR", help="a new folder (default: results/run-DATE-TIME)")
    add(
        "--scheduler", metavar="ADDRESS",
        help="run on every host of a Dask cluster instead, whose scheduler is at tcp://HOST:PORT",
    )  # fmt: skip
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
