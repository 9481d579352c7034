"""Computes a batch that is larger than memory on a Dask cluster, and checks some of its rows.

The workers make the inputs chunk by chunk, with the same bits as `forward.make_inputs`. Of each
chunk only a digest leaves its worker. The whole batch, or its whole result, exists nowhere.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from forwardbench.cases import DTYPE_BYTES, Case
from forwardbench.cluster.connection import STALL_SECONDS, Worker, connected, trouble_of, workers_of
from forwardbench.errors import UserError
from forwardbench.measure.fingerprint import code_version
from forwardbench.units import format_count
from forwardbench.workloads.forward import answers_at, count_bytes, make_layers, make_rows

if TYPE_CHECKING:
    import numpy as np
    from distributed import Client
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


class Digest(NamedTuple):
    """The data of a result's chunk that leave the worker."""

    start: int
    """Its first row in the batch."""
    rows: int
    not_finite: int
    """How many of all its numbers are not finite."""
    sampled: list[int]
    """The numbers of the rows that `values` holds."""
    values: Array


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


def check_large_batch(address: str, case: Case) -> Checked:
    """Compute a case on a cluster and check it; raises `UserError` or `WrongBatchError`."""
    with connected(address) as client:
        workers = workers_of(client)
        chunk = rows_of_chunk(case, workers)
        _check_versions(client, workers)
        start = time.monotonic()
        digests = sorted(_compute(client, case, chunk))
        seconds = time.monotonic() - start
    if sum(digest.rows for digest in digests) != case.batch:
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
        wait(list(futures.values()), timeout=STALL_SECONDS)
    for address, future in futures.items():
        worker_version = future.result() if future.status == "finished" else "unknown (no answer)"
        if worker_version != version:
            raise UserError(
                f"the forwardbench of the worker at {address} is {worker_version}, not {version}: "
                "install the same on the scheduler and on every worker"
            )


def _version_asker() -> Callable[[], str]:
    """Make a function that a worker calls; it is sent by value, so any worker can call it."""

    def ask() -> str:
        try:
            from forwardbench.measure.fingerprint import code_version
        except ImportError as error:
            return f"missing or a different one ({error})"
        return code_version()

    return ask


def _compute(client: Client, case: Case, chunk: int) -> Iterator[Digest]:
    """Compute every chunk, in any order; raises `WrongBatchError` if one fails."""
    from distributed import CancelledError, wait

    pending: set[Any] = set()
    try:
        pending = set(client.compute(_digests(case, chunk), retries=1))
        while pending:
            done, pending = wait(pending, timeout=STALL_SECONDS, return_when="FIRST_COMPLETED")
            yield from (Digest(*future.result()) for future in done)
    except (TimeoutError, CancelledError) as error:
        why = "the scheduler went away" if isinstance(error, CancelledError) else (
            f"no chunk was finished for {STALL_SECONDS:g} s"
        )  # fmt: skip
        raise WrongBatchError(f"{case}: {why}") from None
    except Exception as error:  # an exception of a worker, or its death
        raise WrongBatchError(f"{case}: {trouble_of(error)}") from None
    finally:
        if pending and client.status == "running":
            client.cancel(list(pending))


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
        _digest, starts, out, chunks=((1,) * len(heights), (1,)), dtype=object,
        meta=np.empty((0, 0), object),
    )  # fmt: skip
    return list(digested.to_delayed().ravel())


def _make_chunk(start: NDArray[np.int64], case: Case, chunk: int) -> Array:
    """Make the inputs of one chunk, on the worker."""
    first = int(start[0, 0])
    return make_rows(case, first, min(first + chunk, case.batch))


def _digest(start: NDArray[np.int64], out: Array) -> tuple[Any, ...]:
    """Reduce one chunk of the result to a digest, on the worker."""
    import numpy as np

    first, rows = int(start[0, 0]), len(out)
    places = sorted({0, rows // 2, rows - 1})
    not_finite = int(out.size - np.count_nonzero(np.isfinite(out)))
    return first, rows, not_finite, [first + place for place in places], out[places]


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
        _share(case, layers, row, values)
        for digest in (digests[number] for number in chosen)
        for row, values in zip(digest.sampled, digest.values, strict=True)
    ]
    return len(shares), max(shares)


def _share(case: Case, layers: Sequence[Any], row: int, values: Array) -> float:
    """Compare one row of the batch; returns its largest error as a share of its bound."""
    import numpy as np

    from forwardbench.verification.check import WrongResultError, check_result

    units = np.unique(np.linspace(0, case.widths[-1] - 1, CHECKED_UNITS).astype(int)).tolist()
    answers = answers_at(make_rows(case, row, row + 1), layers, [0], units)
    try:
        return check_result([values[None]], replace(case, batch=1), answers).share
    except WrongResultError as error:
        raise WrongBatchError(f"{case}: row {row}: {error}") from None
