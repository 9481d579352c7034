"""Computes a batch that is larger than memory on a Dask cluster, and checks some of its rows.

The workers make the inputs chunk by chunk, with the same bits as `forward.make_inputs`. Of each
chunk only a digest leaves its worker, as JSON. The whole batch, or its whole result, exists
nowhere.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forwardbench.cases import DTYPE_BYTES, Case
from forwardbench.cluster import connection
from forwardbench.cluster.connection import (
    DEAF,
    Worker,
    connected,
    is_listening,
    trouble_of,
    why_failed,
    workers_of,
)
from forwardbench.cluster.plain_data import read_json, reading_own_pickles
from forwardbench.errors import UserError, one_line
from forwardbench.measure.fingerprint import code_version
from forwardbench.units import format_count
from forwardbench.workloads.forward import answers_at, count_bytes, make_layers, make_rows

if TYPE_CHECKING:
    import numpy as np
    from distributed import Client, Future
    from numpy.typing import NDArray

    Array = NDArray[np.floating]

RUNG = "dask_array"
SHARE = 1 / 16
"""The share of a worker's memory for one thread that one chunk may use."""
LARGEST_CHUNK = 2**27
"""Largest size of a chunk in bytes; larger chunks are no faster."""
COPIES = 5
"""So many arrays, as large as a chunk's inputs or activations, exist during its computation."""
MOST_CHUNKS = 100_000
"""Each task costs the scheduler about a kilobyte and a millisecond."""
CHECKED_CHUNKS = 24
"""Chunks whose first, middle and last rows are compared with the reference."""
CHECKED_UNITS = 64
"""Units of the last layer that are compared in each of these rows."""


MOST_ANSWER_BYTES = 2**16
"""Largest answer of a worker in bytes; the numbers of a digest need about a tenth of that."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Digest:
    """What is known here of one chunk of the result."""

    start: int
    """Its first row in the batch."""
    rows: int
    not_finite: int
    """How many of all its numbers are not finite."""
    values: list[list[float]]
    """Of its first, middle and last row, the units that are checked."""


@dataclass(frozen=True)
class Checked:
    """The result for a batch whose sampled rows are correct."""

    rows: int
    chunks: int
    share: float
    """Largest error as a share of the bound on it."""
    seconds: float
    batch_bytes: int
    """Of inputs and outputs."""
    memory_bytes: int
    """Total memory limit of the workers; 0 if one of them has no limit."""
    workers: int


class WrongBatchError(Exception):
    """A batch is wrong or could not be computed; the message says why."""


def check_large_batch(address: str, case: Case, *, insecure: bool = False) -> Checked:
    """Compute a case on a cluster and check it; raises `UserError` or `WrongBatchError`."""
    with connected(address, insecure=insecure) as client:
        workers = workers_of(client)
        chunk = rows_of_chunk(case, workers)
        _check_versions(client, workers)
        start = time.monotonic()
        digests = sorted(_compute(client, case, chunk), key=lambda digest: digest.start)
        seconds = time.monotonic() - start
    if [digest.start for digest in digests] != list(range(0, case.batch, chunk)):
        raise WrongBatchError(f"{case}: not every row of the batch was computed")
    rows, share = _compare(case, digests)
    limits = [worker.memory_bytes for worker in workers]
    return Checked(
        rows=rows,
        chunks=len(digests),
        share=share,
        seconds=seconds,
        batch_bytes=case.batch * (case.widths[0] + case.widths[-1]) * DTYPE_BYTES[case.dtype],
        memory_bytes=sum(limits) if all(limits) else 0,
        workers=len(workers),
    )


def describe_check(case: Case, checked: Checked) -> str:
    """Describe in one line what was computed and checked."""
    size = f"{checked.batch_bytes / 2**20:,.0f} MiB of inputs and outputs"
    count = "1 worker" if checked.workers == 1 else f"{checked.workers} workers"
    chunks = "1 chunk" if checked.chunks == 1 else f"{checked.chunks:,} chunks"
    if checked.memory_bytes:
        times = checked.batch_bytes / checked.memory_bytes
        limit = f"{checked.memory_bytes / 2**20:,.0f} MiB"
        memory = f"{times:.2g} times the memory of {count} ({limit})"
    else:
        memory = f"{count} without a limit on memory"
    return (
        f"{RUNG:17}  verified     {case}: {checked.rows} rows of {format_count(case.batch)} "
        f"compared, errors at most {checked.share:.0%} of their bounds; {size}, {memory}, "
        f"{chunks} in {checked.seconds:.1f} s"
    )


def rows_of_chunk(case: Case, workers: Sequence[Worker]) -> int:
    """How many rows a worker can compute at once on each thread; raises `UserError`."""
    limited = [worker.memory_bytes / worker.threads for worker in workers if worker.memory_bytes]
    room = min([LARGEST_CHUNK, *(SHARE * limit for limit in limited)])
    # Inputs are made as 64-bit numbers, whatever their final dtype is.
    row = COPIES * 8 * max(case.widths)
    weights = count_bytes(case) - case.batch * sum(case.widths) * DTYPE_BYTES[case.dtype]
    if limited and (row > 8 * room or weights > 8 * room):
        raise UserError(
            f"{case} is too wide for these workers, whose memory has {min(limited) / 2**20:,.0f} "
            "MiB for each thread: only its batch may be larger than memory"
        )
    chunk = int(max(1, min(case.batch, room // row)))
    if case.batch / chunk > MOST_CHUNKS:
        raise UserError(
            f"{case} would be {case.batch // chunk:,} chunks of {chunk:,} rows, and a scheduler "
            f"copes with {MOST_CHUNKS:,}: choose a smaller batch"
        )
    return chunk


def _check_versions(client: Client, workers: Sequence[Worker]) -> None:
    """Refuse workers with other code; raises `UserError`."""
    from distributed import wait

    version = code_version()
    futures = {
        worker.address: client.submit(
            _version_asker(), workers=[worker.address], allow_other_workers=False, pure=False
        )
        for worker in workers
    }
    with contextlib.suppress(TimeoutError):  # whoever does not answer is reported below
        wait(list(futures.values()), timeout=connection.STALL_SECONDS)
    for address, future in futures.items():
        worker_version = _read_version(future)
        if worker_version != version:
            raise UserError(
                f"the forwardbench of the worker at {address} is {worker_version}, not {version}: "
                "install the same on the scheduler and on every worker"
            )


def _read_version(future: Future) -> str:
    """What a worker says of its forwardbench, or why that is not known."""
    if future.status != "finished":
        return "unknown (no answer)"
    try:
        return one_line(
            read_json(future.result(timeout=connection.STALL_SECONDS), MOST_ANSWER_BYTES)
        )
    except Exception as error:
        return (
            f"unknown (it {error})"
            if type(error) is ValueError
            else f"unknown ({trouble_of(error)})"
        )


def _version_asker() -> Callable[[], bytes]:
    """Make a function that a worker calls; it is sent by value, so any worker can call it."""

    def ask() -> bytes:
        try:
            from forwardbench.measure.fingerprint import code_version
        except Exception as error:  # an import may fail in any way
            return json.dumps(f"missing or a different one ({error})").encode()
        return json.dumps(code_version()).encode()

    return ask


def _compute(client: Client, case: Case, chunk: int) -> Iterator[Digest]:
    """Compute every chunk, in any order; raises `WrongBatchError` if one fails."""
    from distributed import CancelledError

    pending: set[Any] = set()
    try:
        with reading_own_pickles():
            pending = set(client.compute(_digests(case, chunk), retries=1))
        while pending:
            done = _finished(client, case, pending)
            pending -= done
            for future in done:
                if future.status == "error":
                    raise WrongBatchError(f"{case}: {why_failed(future)}")
                yield read_digest(future.result(timeout=connection.STALL_SECONDS), case, chunk)
    except CancelledError:
        raise WrongBatchError(f"{case}: the scheduler went away") from None
    except WrongBatchError:
        raise
    except Exception as error:  # what arrives may fail to be read in any way
        raise WrongBatchError(f"{case}: {trouble_of(error)}") from None
    finally:
        if pending and client.status == "running":
            client.cancel(list(pending))


def _finished(client: Client, case: Case, pending: set[Any]) -> set[Any]:
    """Wait until a chunk is done, or has failed; raises `WrongBatchError` after some time."""
    from distributed import wait

    deadline = time.monotonic() + connection.STALL_SECONDS
    while time.monotonic() < deadline:
        if not is_listening(client):
            raise WrongBatchError(f"{case}: {DEAF}")
        with contextlib.suppress(TimeoutError):
            wait(pending, timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
        done = {future for future in pending if future.status != "pending"}
        if done:
            return done
    raise WrongBatchError(f"{case}: no chunk was finished for {connection.STALL_SECONDS:g} s")


def read_digest(data: object, case: Case, chunk: int) -> Digest:
    """Read what a worker sent of a chunk of ``chunk`` rows; raises `WrongBatchError`."""
    try:
        digest = Digest(**read_json(data, MOST_ANSWER_BYTES))
    except ValueError as error:
        raise WrongBatchError(f"{case}: a worker {error}") from None
    except TypeError:
        raise WrongBatchError(f"{case}: a worker sent what is not a digest") from None
    whole = (digest.start, digest.rows, digest.not_finite)
    if not all(type(number) is int and number >= 0 for number in whole):
        raise WrongBatchError(f"{case}: a worker sent what is not a digest")
    rows = min(chunk, case.batch - digest.start)
    if digest.start % chunk or digest.start >= case.batch or digest.rows != rows:
        raise WrongBatchError(f"{case}: a worker sent rows that it was not asked for")
    units, values = len(checked_units(case)), digest.values
    if (
        not isinstance(values, list)
        or len(values) != len(checked_rows(rows))
        or any(not isinstance(row, list) or len(row) != units for row in values)
        or any(type(value) is not float for row in values for value in row)
    ):
        raise WrongBatchError(f"{case}: a worker sent what is not a digest")
    return digest


def checked_rows(rows: int) -> list[int]:
    """The rows of a chunk that are compared: its first, middle and last."""
    return sorted({0, rows // 2, rows - 1})


def checked_units(case: Case) -> list[int]:
    """The units of the last layer that are compared."""
    last, count = case.widths[-1] - 1, min(case.widths[-1], CHECKED_UNITS)
    return [last * place // max(count - 1, 1) for place in range(count)]


def _digests(case: Case, chunk: int) -> list[Any]:
    """A lazy digest of each chunk; its inputs are made lazily as well."""
    import dask.array as da
    import numpy as np

    from forwardbench.implementations.larger_than_memory import dask_array

    heights = [chunk] * (case.batch // chunk) + [case.batch % chunk] * (case.batch % chunk > 0)
    starts = da.from_array(np.cumsum([0, *heights[:-1]])[:, None], chunks=(1, 1), name=False)
    x = starts.map_blocks(
        _make_chunk, case, chunk, chunks=(tuple(heights), (case.widths[0],)),
        meta=np.empty((0, 0), case.dtype),
    )  # fmt: skip
    rung: Any = dask_array  # without type annotations
    out = rung.through(x, rung.prepare_layers(make_layers(case)))
    digested = da.map_blocks(
        _digest, starts, out, case, chunks=((1,) * len(heights), (1,)), dtype=object,
        meta=np.empty((0, 0), object),
    )  # fmt: skip
    return list(digested.to_delayed().ravel())


def _make_chunk(start: NDArray[np.int64], case: Case, chunk: int) -> Array:
    """Make the inputs of one chunk, on the worker."""
    first = int(start[0, 0])
    return make_rows(case, first, min(first + chunk, case.batch))


def _digest(start: NDArray[np.int64], out: Array, case: Case) -> bytes:
    """Reduce one chunk of the result to a digest, on the worker."""
    import numpy as np

    if out.shape[1:] != case.widths[-1:] or out.dtype != case.dtype:
        raise ValueError(f"a chunk of shape {out.shape} and dtype {out.dtype}")
    places = np.ix_(checked_rows(len(out)), checked_units(case))
    digest = {
        "start": int(start[0, 0]),
        "rows": len(out),
        "not_finite": int(out.size - np.count_nonzero(np.isfinite(out))),
        "values": out[places].astype(np.float64).tolist(),  # which keeps every bit
    }
    return json.dumps(digest).encode()


def _compare(case: Case, digests: Sequence[Digest]) -> tuple[int, float]:
    """Compare the sampled rows of some chunks with the reference.

    Returns how many rows, and the largest error as a share of its bound.
    """
    import numpy as np

    for digest in digests:
        if digest.not_finite:
            rows = f"rows {digest.start} to {digest.start + digest.rows - 1}"
            raise WrongBatchError(f"{case}: {digest.not_finite} numbers of {rows} are not finite")
    chosen = np.unique(np.linspace(0, len(digests) - 1, CHECKED_CHUNKS).astype(int))
    layers = make_layers(case)
    shares = [
        _share(case, layers, digest.start + place, values)
        for digest in (digests[number] for number in chosen)
        for place, values in zip(checked_rows(digest.rows), digest.values, strict=True)
    ]
    return len(shares), max(shares)


def _share(case: Case, layers: Sequence[Any], row: int, values: Sequence[float]) -> float:
    """Compare one row of the batch; returns its largest error as a share of its bound."""
    import numpy as np

    from forwardbench.verification.check import WrongResultError, check_result

    units = checked_units(case)
    answers = answers_at(make_rows(case, row, row + 1), layers, [0], units)
    out = np.zeros((1, case.widths[-1]), case.dtype)  # units that were not sent are not compared
    with np.errstate(over="ignore"):  # what is too large for the dtype is not finite, and wrong
        out[0, units] = values
    try:
        return check_result([out], replace(case, batch=1), answers).share
    except WrongResultError as error:
        raise WrongBatchError(f"{case}: row {row}: {error}") from None
