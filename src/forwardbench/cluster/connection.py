"""Connects to a Dask cluster, lists its workers, and reports errors in one line."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.implementations import requirements

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 5.0
"""If a scheduler does not answer within this time, it counts as absent."""
ANSWER_SECONDS = 10.0
"""Longest wait for an answer from a scheduler that is connected."""
STALL_SECONDS = 60.0
"""Work that gives no sign of life for so long is given up."""

_ADDRESS = re.compile(r"(tcp|tls)://([^\s:/@]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class Worker:
    """One worker of a cluster."""

    address: str
    host: str
    threads: int
    memory_bytes: int
    """Its memory limit; 0 if it has none."""


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect to the scheduler at an address; raises `UserError` if that is not possible.

    Dask's own log messages are switched off; forwardbench reports every problem in one line.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 2**16:
        raise UserError(
            f"--scheduler {one_line(address)!r} is not an address: write tcp://HOST:PORT, as "
            "dask scheduler prints it"
        )
    missing = requirements.missing("dask", "")
    if missing:
        raise UserError(f"--scheduler {missing}")
    client = _connect(address)
    try:
        with client.as_current():
            yield client
    finally:
        client.close(timeout=ANSWER_SECONDS)


def _connect(address: str) -> Client:
    from distributed import Client

    for name in ("tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about differing versions: real problems raise errors
        try:
            # In a new thread, since this one may already have an event loop, as in a notebook.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _ask_who_is_there(address)).result()
            return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            late = isinstance(_innermost(error), TimeoutError | asyncio.CancelledError)
            why = f"not in {CONNECT_SECONDS:g} s" if late else describe_error(_innermost(error))
            raise UserError(
                f"no Dask scheduler answers at {address} ({why}): start one with dask scheduler, "
                "or correct the address"
            ) from None


async def _ask_who_is_there(address: str) -> None:
    """Raise `OSError` if no scheduler answers in time; a client would wait for ever."""
    from distributed.core import rpc

    async with asyncio.timeout(CONNECT_SECONDS), rpc(address) as server:
        kind = (await server.identity())["type"]
    if kind != "Scheduler":
        raise OSError(f"a {kind.lower()} does")


def _innermost(error: BaseException) -> BaseException:
    """The original cause of an error; later errors only say that something failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def workers_of(client: Client) -> list[Worker]:
    """The workers of a cluster, sorted by host; raises `UserError` if it has none."""
    identity = ask(client, client.scheduler.identity, n_workers=-1)
    workers = [
        Worker(address, one_line(info["host"]), info["nthreads"], int(info["memory_limit"] or 0))
        for address, info in identity["workers"].items()
    ]
    if not workers:
        address = client.scheduler.address
        raise UserError(
            f"the scheduler at {address} has no workers: start some with dask worker {address}"
        )
    return sorted(workers, key=lambda worker: (worker.host, worker.address))


def ask(client: Client, question: Any, **details: Any) -> Any:
    """Send the scheduler a question; raises `UserError` if it does not answer in time."""
    try:
        return client.sync(question, **details, callback_timeout=ANSWER_SECONDS)
    except (OSError, RuntimeError, AttributeError) as error:  # TimeoutError is an OSError
        raise UserError(
            f"the Dask scheduler answers no more ({describe_error(error)}): start it again"
        ) from None


def trouble_of(error: BaseException) -> str:
    """Say in one line why work on a cluster failed."""
    return describe_error(_innermost(error))
