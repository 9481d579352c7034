"""A Dask worker that answers with bombs: it loads this file, and its environment names the mode."""

import os

from builders.bombs import Bomb, dask_bomb, pickle_bomb

MODE = "FORWARDBENCH_TEST_HOSTILE"
RESULTS = {"dask": dask_bomb, "pickle": pickle_bomb}


def raises(*values):
    """Stand in for the run of a host, and for the digest of a chunk."""
    raise Bomb


def dies(*values):
    """Stand in for the digest of a chunk, as if it needed too much memory."""
    os._exit(1)


def dask_setup(worker):
    """Called by the worker when it starts."""
    from forwardbench.cluster import agent, large_batch

    mode = os.environ[MODE]
    if mode in FAILURES:
        agent.run_for_client = large_batch._digest = FAILURES[mode]
        return
    agent.run_for_client = lambda task: b"a result"

    async def get_data(comm, keys, who=None, serializers=None, **details):
        return {"status": "OK", "data": {key: RESULTS[mode]() for key in keys}}

    worker.handlers["get_data"] = get_data


FAILURES = {"exception": raises, "death": dies}
