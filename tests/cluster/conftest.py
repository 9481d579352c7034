"""A real cluster of processes."""

import os
from importlib.util import find_spec

import pytest

from builders.clusters import Cluster


@pytest.fixture(scope="session", autouse=True)
def need_dask():
    """Without Dask there is nothing to test; where CI is set that is a failure."""
    if find_spec("distributed") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Dask is not installed")


@pytest.fixture
def cluster(tmp_path):
    """A cluster without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()
