"""A real cluster of processes."""

import os
from importlib.util import find_spec

import pytest

from builders.clusters import Cluster
from forwardbench.cluster import plain_data


@pytest.fixture(scope="session", autouse=True)
def need_dask():
    """Without Dask there is nothing to test; where CI is set that is a failure."""
    if find_spec("distributed") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Dask is not installed")


@pytest.fixture(autouse=True)
def let_other_tests_read_pickles(monkeypatch):
    """A process that was connected refuses pickles to its end; this one runs other tests too."""
    monkeypatch.setattr(plain_data, "_refuses", False)


@pytest.fixture
def cluster(tmp_path):
    """A cluster without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()
