"""Connects to a Dask cluster, lists its workers, and reports errors in one line.

Whoever answers may be hostile: see `plain_data`. Nothing of a cluster is read before that is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import ssl
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forwardbench.cluster.plain_data import DESERIALIZERS, RefusedPickleError, refuse_pickles
from forwardbench.errors import UserError, describe_error, one_line
from forwardbench.implementations import requirements

if TYPE_CHECKING:
    from distributed import Client, Future

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
def connected(address: str, *, insecure: bool = False) -> Iterator[Client]:
    """Connect to the scheduler at an address; raises `UserError` if that is not possible.

    A scheduler on another machine needs TLS unless ``insecure``. From here on this process refuses
    pickles (see `plain_data`). Dask's own log messages are switched off; forwardbench reports every
    problem in one line.
    """
    _check_address(address, insecure)
    missing = requirements.missing("dask", "")
    if missing:
        raise UserError(f"--scheduler {missing}")
    refuse_pickles()
    client = _connect(address)
    try:
        with client.as_current():
            yield client
    finally:
        client.close(timeout=ANSWER_SECONDS)


def _check_address(address: str, insecure: bool) -> None:
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 2**16:
        raise UserError(
            f"--scheduler {one_line(address)!r} is not an address: write tcp://HOST:PORT, as "
            "dask scheduler prints it"
        )
    if match[1] == "tls" or insecure or _is_this_machine(match[2].strip("[]")):
        return
    raise UserError(
        f"--scheduler {address} leads to another machine without encryption, so that anyone on the "
        f"way could run code on its workers: write tls://{match[2]}:{match[3]} (README.md says how "
        "certificates are given), or add --insecure if you trust everyone on that network"
    )


def _is_this_machine(host: str) -> bool:
    """Whether a host can only be this machine. Other names may lead anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _connect(address: str) -> Client:
    import distributed  # noqa: F401 (makes the loggers that are switched off here)

    for name in ("tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    security = _security(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about differing versions: real problems raise errors
        try:
            # In a new thread, since this one may already have an event loop, as in a notebook.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _ask_who_is_there(address, security)).result()
            return _make_client(address, security)
        except RefusedPickleError as error:
            raise UserError(
                f"what answers at {address} {error}: it is no Dask scheduler, or means harm; "
                "correct the address"
            ) from None
        except Exception as error:  # whoever answers may send anything
            late = isinstance(_innermost(error), TimeoutError | asyncio.CancelledError)
            why = f"not in {CONNECT_SECONDS:g} s" if late else describe_error(_innermost(error))
            raise UserError(
                f"no Dask scheduler answers at {address} ({why}): start one with dask scheduler, "
                "or correct the address"
            ) from None


def _make_client(address: str, security: Any) -> Client:
    from distributed import Client

    class PlainClient(Client):
        """A client that does not let a cluster write to this terminal, not even by its errors."""

        def close(self, *values: Any, **details: Any) -> None:
            """Close the connection; whatever goes wrong, all that matters has already arrived."""
            with contextlib.suppress(Exception):
                super().close(*values, **details)

        def subscribe_topic(self, topic: str, handler: Any) -> None:
            """Subscribe to a topic, but not to Dask's own, whose texts are printed as they are."""
            if topic not in ("print", "warn"):
                super().subscribe_topic(topic, handler)

    return PlainClient(
        address, timeout=CONNECT_SECONDS, set_as_default=False, security=security,
        deserializers=list(DESERIALIZERS), direct_to_workers=False,
    )  # fmt: skip


def _security(address: str) -> Any:
    """Dask's settings for TLS; raises `UserError` if an address needs some that are not there."""
    import dask
    from distributed.security import Security

    # A message may name an enumeration in one of these packages, which would be imported.
    dask.config.set({"distributed.scheduler.allowed-imports": []})
    settings = "distributed.comm.tls.ca-file, .client.cert and .client.key of Dask's configuration"
    try:
        security = Security()
        context = security.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError, TypeError, ssl.SSLError) as error:
        raise UserError(
            f"the certificates for TLS cannot be read ({describe_error(error)}): correct {settings}"
        ) from None
    if address.startswith("tls:") and context is None:
        raise UserError(f"--scheduler {address} needs certificates for TLS: set {settings}")
    return security


async def _ask_who_is_there(address: str, security: Any) -> None:
    """Raise `OSError` if no scheduler answers in time; a client would wait for ever."""
    from distributed.core import rpc

    connection_args = security.get_connection_args("client")
    async with (
        asyncio.timeout(CONNECT_SECONDS),
        rpc(address, deserializers=list(DESERIALIZERS), connection_args=connection_args) as server,
    ):
        kind = (await server.identity())["type"]
    if kind != "Scheduler":
        raise OSError(f"a {one_line(kind).lower()} does")


def _innermost(error: BaseException) -> BaseException:
    """The original cause of an error; later errors only say that something failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def workers_of(client: Client) -> list[Worker]:
    """The workers of a cluster, sorted by host; raises `UserError` if it has none."""
    address = client.scheduler.address
    identity = ask(client, client.scheduler.identity, n_workers=-1)
    try:
        workers = [_read_worker(*item) for item in identity["workers"].items()]
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise UserError(
            f"the scheduler at {address} does not describe its workers as Dask does "
            f"({describe_error(error)}): correct the address, or install the same Dask there"
        ) from None
    if not workers:
        raise UserError(
            f"the scheduler at {address} has no workers: start some with dask worker {address}"
        )
    return sorted(workers, key=lambda worker: (worker.host, worker.address))


def _read_worker(address: Any, about: Any) -> Worker:
    """Read a scheduler's description of a worker; its errors mean that it is no such thing."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"the address {one_line(address)!r}")
    host, threads, memory_bytes = about["host"], about["nthreads"], about["memory_limit"] or 0
    if not isinstance(host, str) or type(threads) is not int or threads < 1 or memory_bytes < 0:
        raise ValueError(f"a worker at {address}")
    return Worker(address, one_line(host), threads, int(memory_bytes))


def addresses_of(client: Client) -> set[str]:
    """The addresses of the workers that a cluster has now; raises `UserError`."""
    answer = ask(client, client.scheduler.ncores)
    return {str(address) for address in answer} if isinstance(answer, dict) else set()


def ask(client: Client, question: Any, *values: Any, **details: Any) -> Any:
    """Send the scheduler a question; raises `UserError` if it does not answer in time."""
    try:
        return client.sync(question, *values, **details, callback_timeout=ANSWER_SECONDS)
    except RefusedPickleError as error:
        raise UserError(f"the Dask scheduler {error}: do not connect to it again") from None
    except Exception as error:  # an answer that cannot be read may raise anything
        raise UserError(
            f"the Dask scheduler answers no more ({describe_error(error)}): start it again"
        ) from None


def is_listening(client: Client) -> bool:
    """Whether a client still hears its scheduler; it does not after a report that was refused."""
    reports = getattr(client, "_handle_report_task", None)
    return reports is None or not reports.done()


DEAF = "the Dask scheduler sent a report that cannot be read, or is refused"
"""What is said where a client is not listening any longer."""


def why_failed(future: Future) -> str:
    """Ask the scheduler in which words a task failed: the exception itself is a pickle."""

    def read(key: str, dask_scheduler: Any) -> str:
        task = dask_scheduler.tasks.get(key)
        blamed = task.exception_blame if task is not None else None
        if blamed is None:
            return ""
        return blamed.exception_text or ("its worker died" if blamed.suspicious else "")

    client = future.client
    try:
        words = ask(client, client._run_on_scheduler, read, future.key)
    except UserError as error:
        return str(error)
    return one_line(words) or "the scheduler does not say why"


def trouble_of(error: BaseException) -> str:
    """Say in one line why work on a cluster failed."""
    innermost = _innermost(error)
    return (
        str(innermost) if isinstance(innermost, RefusedPickleError) else describe_error(innermost)
    )
