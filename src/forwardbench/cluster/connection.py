"""A Dask cluster: reached, or refused in one line, and which workers it has."""

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
"""A scheduler that does not answer within this time is not there."""
ANSWER_SECONDS = 10.0
"""So long a scheduler that was there may take to answer a question."""
STALL_SECONDS = 60.0
"""Work of which nothing is heard for so long is given up."""

_ADDRESS = re.compile(r"(tcp|tls)://([^\s:/@]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class Worker:
    """One worker of a cluster."""

    address: str
    host: str
    threads: int
    memory_bytes: int
    """Its limit; 0 where it has none."""


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Talk to the scheduler at an address; raises `UserError` where that cannot be done.

    What Dask would log on the way is left out: whatever matters is said in a line of ours.
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
        warnings.simplefilter("ignore")  # of versions that differ: what fails says so itself
        try:
            # In a thread of its own: in a notebook, say, this one has a loop already.
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
    """Raise `OSError` where no scheduler answers in time; a client would wait for ever."""
    from distributed.core import rpc

    async with asyncio.timeout(CONNECT_SECONDS), rpc(address) as somebody:
        kind = (await somebody.identity())["type"]
    if kind != "Scheduler":
        raise OSError(f"a {kind.lower()} does")


def _innermost(error: BaseException) -> BaseException:
    """The first reason of an error, since those after it only say that something failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def workers_of(client: Client) -> list[Worker]:
    """The workers of a cluster, by host and address; raises `UserError` where it has none."""
    identity = ask(client, client.scheduler.identity, n_workers=-1)
    found = [
        Worker(address, one_line(info["host"]), info["nthreads"], int(info["memory_limit"] or 0))
        for address, info in identity["workers"].items()
    ]
    if not found:
        address = client.scheduler.address
        raise UserError(
            f"the scheduler at {address} has no workers: start some with dask worker {address}"
        )
    return sorted(found, key=lambda worker: (worker.host, worker.address))


def ask(client: Client, question: Any, **details: Any) -> Any:
    """Ask the scheduler something; raises `UserError` if it does not answer in time."""
    try:
        return client.sync(question, **details, callback_timeout=ANSWER_SECONDS)
    except (OSError, RuntimeError, AttributeError) as error:  # TimeoutError is an OSError
        raise UserError(
            f"the Dask scheduler answers no more ({describe_error(error)}): start it again"
        ) from None


def trouble_of(error: BaseException) -> str:
    """Say in one line why work on a cluster failed."""
    return describe_error(_innermost(error))
