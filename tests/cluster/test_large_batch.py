"""A batch larger than memory: computed on workers, and checked."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from builders.clusters import TINY, finish, start
from forwardbench import implementations
from forwardbench.cases import parse_case
from forwardbench.cluster import large_batch
from forwardbench.cluster.connection import Worker
from forwardbench.cluster.large_batch import WrongBatchError, read_digest
from forwardbench.errors import UserError
from forwardbench.workloads.forward import make_layers, make_rows


def test_a_batch_of_several_times_the_memory_is_computed_and_checked(cluster, tmp_path):
    """Two workers of 256 MiB take 1.4 GiB; no worker dies of it, and sampled rows are right."""
    for _ in range(2):
        cluster.add("127.0.0.1", "256MiB")
    status, out, err = finish(start(
        "verify", "--implementation", "dask_array", "--scheduler", cluster.address,
        "--shape", "2000000x64-32", cwd=tmp_path,
    ))  # fmt: skip
    assert (status, err) == (0, ""), out
    (line,) = out.splitlines()
    assert re.fullmatch(
        r"dask_array +verified +2000000x64-32: 72 rows of 2e6 compared, errors at most \d+% of "
        r"their bounds; 1,465 MiB of inputs and outputs, 2.9 times the memory of 2 workers "
        r"\(512 MiB\), \d+ chunks in [\d.]+ s",
        line,
    )
    assert "Restarting worker" not in "".join(
        path.read_text() for path in cluster.folder.glob("*.log")
    )


def test_workers_with_another_version_are_refused_and_stay_alive(cluster, tmp_path):
    """Neither command sends them what they cannot read, which would end them."""
    old = tmp_path / "old"
    (old / "forwardbench").mkdir(parents=True)
    (old / "forwardbench" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    nanny = cluster.add("127.0.0.1", PYTHONPATH=str(old))
    worker = cluster.worker_of(nanny)
    check = start(
        "verify", "--implementation", "dask_array", "--scheduler", cluster.address,
        "--shape", "20x4-3", cwd=tmp_path,
    )  # fmt: skip
    status, _, err = finish(check)
    assert status == 2
    assert re.match(
        r"forwardbench: the forwardbench of the worker at tcp://127.0.0.1:\d+ is missing", err
    )
    assert "install the same on the scheduler and on every worker\n" in err
    status, _, err = finish(start("run", "--scheduler", cluster.address, *TINY, cwd=tmp_path))
    assert status == 1
    assert re.search(r"127.0.0.1: lost after \d+ s: has no forwardbench, or another one ", err)
    assert worker.is_running()
    assert not list(tmp_path.glob("results/*"))


def digests(case, chunk):
    """What workers would send of a right result."""
    plain = implementations.load("matmul")
    layers = make_layers(case)
    for start_row in range(0, case.batch, chunk):
        rows = min(chunk, case.batch - start_row)
        out = plain.compute(make_rows(case, start_row, start_row + rows), layers)
        yield read_digest(large_batch._digest(np.array([[start_row]]), out, case), case, chunk)


def test_first_and_last_rows_of_the_batch_and_of_chunks_are_compared():
    """The sample holds both ends of each chunk, so a chunk at the wrong place shows."""
    case = parse_case("1000x5-4-3")
    found = list(digests(case, 300))
    assert [(each.start, each.rows) for each in found] == [
        (0, 300), (300, 300), (600, 300), (900, 100),
    ]  # fmt: skip
    assert large_batch.checked_rows(300) == [0, 150, 299]
    assert large_batch.checked_rows(1) == [0]
    rows, share = large_batch._compare(case, found)
    assert rows == 12
    assert 0 < share <= 1
    swapped = [found[0], replace(found[1], values=found[2].values), *found[2:]]
    with pytest.raises(WrongBatchError, match=r"1000x5-4-3: row 300: .* times the bound"):
        large_batch._compare(case, swapped)


@pytest.mark.parametrize("number", [0, 2])
def test_a_number_that_is_not_finite_anywhere_is_found(number):
    """It need not be in a sampled row, since it is counted on the worker."""
    case = parse_case("90x3-2")
    out = np.full((30, 2), 0.5)
    out[7, 1] = np.nan
    found = list(digests(case, 30))
    sent = large_batch._digest(np.array([[30 * number]]), out, case)
    found[number] = read_digest(sent, case, 30)
    message = f"1 numbers of rows {30 * number} to {30 * number + 29} are not finite"
    with pytest.raises(WrongBatchError, match=message):
        large_batch._compare(case, found)


def test_a_chunk_that_is_missing_is_found(monkeypatch):
    """Every row of the batch has to have been computed."""

    class Nobody:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    case = parse_case("90x3-2")
    monkeypatch.setattr(large_batch, "connected", lambda address, insecure: Nobody())
    monkeypatch.setattr(large_batch, "workers_of", lambda client: [Worker("a", "h", 1, 0)])
    monkeypatch.setattr(large_batch, "_check_versions", lambda client, workers: None)
    monkeypatch.setattr(large_batch, "rows_of_chunk", lambda *_: 30)
    monkeypatch.setattr(large_batch, "_compute", lambda *_: list(digests(case, 30))[:2])
    with pytest.raises(WrongBatchError, match="not every row of the batch was computed"):
        large_batch.check_large_batch("", case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_travel_without_losing_a_bit(dtype):
    """JSON has decimal digits, and enough of them; and NaN, which is found wrong here."""
    case = replace(parse_case("3x2-4"), dtype=dtype)
    out = np.array([[1 / 3, -0.0, 1e-30, np.nan]] * 3, dtype)
    digest = read_digest(large_batch._digest(np.array([[0]]), out, case), case, 3)
    assert np.array(digest.values, dtype).tobytes() == out.tobytes()
    assert digest.not_finite == 3


def test_of_a_wide_layer_some_units_are_compared():
    """At most 64, spread evenly, with the first and the last; of a narrow one all."""
    wide = large_batch.checked_units(parse_case("1x2-1000"))
    assert (len(set(wide)), wide[0], wide[-1]) == (64, 0, 999)
    assert large_batch.checked_units(parse_case("1x2-3")) == [0, 1, 2]
    assert large_batch.checked_units(parse_case("1x2-1")) == [0]


GOOD = {"start": 30, "rows": 30, "not_finite": 0, "values": [[0.5, 0.5]] * 3}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": 1}, "a worker sent what is not a digest"),
        ({"start": 31}, "a worker sent rows that it was not asked for"),
        ({"start": 90}, "a worker sent rows that it was not asked for"),
        ({"rows": 29}, "a worker sent rows that it was not asked for"),
        ({"rows": True}, "a worker sent what is not a digest"),
        ({"not_finite": -1}, "a worker sent what is not a digest"),
        ({"values": [[0.5, 0.5]] * 4}, "a worker sent what is not a digest"),
        ({"values": [[0.5]] * 3}, "a worker sent what is not a digest"),
        ({"values": [["1", "2"]] * 3}, "a worker sent what is not a digest"),
        ({"values": [[0.5] * 9999] * 3}, "a worker sent [0-9,]+ bytes where at most 65,536"),
    ],
)
def test_what_is_not_a_digest_is_refused(changes, message):
    """Everything that a worker sends is checked before it is used."""
    case = parse_case("90x3-2")
    assert read_digest(json.dumps(GOOD).encode(), case, 30).start == 30
    with pytest.raises(WrongBatchError, match=message):
        read_digest(json.dumps({**GOOD, **changes}).encode(), case, 30)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (("a", "tuple"), "a worker sent a tuple instead of bytes"),
        (b"\x80\x05.", "a worker sent what is not JSON"),
        (b"[]", "a worker sent what is not a digest"),
    ],
)
def test_only_bytes_of_json_are_a_digest(sent, message):
    """Dask can carry other things too."""
    with pytest.raises(WrongBatchError, match=message):
        read_digest(sent, parse_case("90x3-2"), 30)


def test_chunks_fit_the_smallest_worker():
    """A sixteenth of its memory for each thread, with room for the copies that are made."""
    case = parse_case("1000000x64-32")
    workers = [Worker("a", "h", 1, 2**30), Worker("b", "h", 4, 2**28), Worker("c", "h", 1, 0)]
    assert large_batch.rows_of_chunk(case, workers) == 2**28 // 4 // 16 // (5 * 8 * 64)
    assert large_batch.rows_of_chunk(case, workers[2:]) == 2**27 // (5 * 8 * 64)
    assert large_batch.rows_of_chunk(replace(case, batch=3), workers) == 3
    with pytest.raises(UserError, match="is too wide for these workers, .* 64 MiB for each"):
        large_batch.rows_of_chunk(parse_case("9x9999999-4"), workers)
