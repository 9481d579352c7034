"""Folders of results as asv writes them."""

import json

from forwardbench.results import asv

COLUMNS = [
    "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b",
    "stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile",
]  # fmt: skip
"""`result_columns` as asv 0.6.6 writes them."""


def write_asv(
    folder,
    times,
    cases=("4x4-4", "16x16-16"),
    commit="1a2b3c4d5e6f",
    date=0,
    machine="desk",
    environment="virtualenv-py3.11",
    **changes,
):
    """Write one file of results into asv's folder as asv does, and return the folder.

    ``times`` maps an implementation to its result on each case: seconds, or seconds with both
    ends of the interval, or None (failed), or NaN (skipped). None instead of it all is a
    benchmark that failed as a whole.
    """
    names = list(times or {"matmul": []})
    given = [each for row in (times or {}).values() for each in row]
    row = [
        _column([each[0] if isinstance(each, tuple) else each for each in given]),
        [[f"'{name}'" for name in names], [f"'{case}'" for case in cases]],
        "1", date, 1.5,
        *(_column([each[end] if isinstance(each, tuple) else None for each in given])
          for end in (1, 2)),
    ]  # fmt: skip
    while row[-1] is None:  # as asv does
        row.pop()
    document = {
        "commit_hash": commit,
        "env_name": environment,
        "date": date,
        "params": {"cpu": "Made-up CPU", "num_cpu": "2", "os": "Linux", "ram": str(2**34)},
        "python": "3.11",
        "requirements": {},
        "env_vars": {"OMP_NUM_THREADS": "1"},
        "result_columns": COLUMNS,
        "results": {
            "forward.Forward.peakmem_forward": [[1e6] * len(given), row[1], "1"],
            "theirs.time_forward": [[1.0], [["'a'"]], "1"],
            asv.BENCHMARK: row,
        },
        "durations": {},
        "version": 2,
    }
    (folder / machine).mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text('{"version": 2}')
    (folder / machine / "machine.json").write_text(json.dumps({"machine": machine, "version": 1}))
    file = folder / machine / f"{commit[:8]}-{environment}.json"
    file.write_text(json.dumps({**document, **changes}))
    return folder


def _column(values):
    """Where all are null, asv writes a single null."""
    return None if all(value is None for value in values) else values
