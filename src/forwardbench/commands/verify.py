"""`forwardbench verify`: checks whether implementations are correct."""

from __future__ import annotations

import argparse

from forwardbench.cases import parse_case
from forwardbench.commands.shared.arguments import add_run_options
from forwardbench.commands.shared.exit_status import FAILED, GOOD
from forwardbench.commands.shared.screen import print_line
from forwardbench.commands.shared.verdicts import is_bad, verdict_line
from forwardbench.errors import UserError
from forwardbench.records import DEFAULT_WORKLOAD

HELP = "check that implementations are right"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice of implementations, and the options for a large batch."""
    add_run_options(parser, only=("implementations", "workload"), implementations="all")
    add = parser.add_argument
    add(
        "--scheduler", metavar="ADDRESS",
        help="check dask_array on a Dask cluster, whose scheduler is at tls://HOST:PORT, or at "
        "tcp://HOST:PORT on this machine, with the batch of --shape",
    )  # fmt: skip
    add(
        "--insecure", action="store_true",
        help="with --scheduler: allow a connection without encryption to another machine",
    )  # fmt: skip
    add(
        "--seed", type=int, metavar="N",
        help="draw the same problems as a verification that printed this seed",
    )  # fmt: skip
    add("--shape", metavar="CASE", help="a case whose batch may be larger than the memory there")


def run(options: argparse.Namespace) -> int:
    """Print a line on each implementation; status 1 if one is wrong."""
    from forwardbench import implementations, workloads
    from forwardbench.measure.request import choose_contenders, named_one_by_one
    from forwardbench.measure.run_options import RunOptions
    from forwardbench.verification.verify import verify_all

    if options.scheduler is not None or options.shape is not None or options.insecure:
        return _verify_large_batch(options)
    chosen = RunOptions.of(
        implementations=options.implementations or [implementations.ALL], workload=options.workload
    )
    contenders = choose_contenders(
        chosen.implementations, workloads.get(chosen.workload), everywhere=True
    )
    one_by_one = named_one_by_one(chosen.implementations)
    status = GOOD
    references = list(contenders.values())
    for verdict in verify_all(references, workload=chosen.workload, seed=options.seed):
        print_line(verdict_line(verdict))
        if is_bad(verdict, one_by_one):
            status = FAILED
    return status


def _verify_large_batch(options: argparse.Namespace) -> int:
    from forwardbench.cluster import large_batch

    if options.insecure and options.scheduler is None:
        raise UserError("verify --insecure is for --scheduler: name a scheduler, or leave it out")
    if options.scheduler is None or options.shape is None:
        given, needed = ("shape", "scheduler") if options.shape else ("scheduler", "shape")
        raise UserError(
            f"verify --{given} needs --{needed} too: --scheduler says where, --shape what"
        )
    if options.implementations != [large_batch.RUNG]:
        raise UserError(
            f"--scheduler is for {large_batch.RUNG}, whose batches may be larger than memory: add "
            f"--implementation {large_batch.RUNG} and no other"
        )
    if options.workload not in (None, DEFAULT_WORKLOAD):
        raise UserError(
            f"--scheduler checks the workload {DEFAULT_WORKLOAD} only: leave out --workload"
        )
    case = parse_case(options.shape)
    try:
        checked = large_batch.check_large_batch(options.scheduler, case, insecure=options.insecure)
    except large_batch.WrongBatchError as error:
        print_line(f"{large_batch.RUNG:17}  failed       {error}")
        return FAILED
    print_line(large_batch.describe_check(case, checked))
    return GOOD
